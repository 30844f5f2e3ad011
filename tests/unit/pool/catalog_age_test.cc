#include "pool/catalog_age.h"

#include <gtest/gtest.h>

namespace pgvalet::pool {
namespace {

constexpr Time At(int seconds) { return Time(std::chrono::seconds(seconds)); }

TEST(CatalogAgeTest, NothingIsOutdatedBeforeAChangeIsTold) {
  const CatalogAge age;

  EXPECT_FALSE(age.IsOutdated(At(0)));
  EXPECT_FALSE(age.IsOutdated(At(100)));
}

TEST(CatalogAgeTest, NewDefaultsOutdateTheConnectionsThereAre) {
  CatalogAge age;
  age.NoteDefaults(1, At(10));

  EXPECT_TRUE(age.IsOutdated(At(9)));
  EXPECT_TRUE(age.IsOutdated(At(10)));
  EXPECT_FALSE(age.IsOutdated(At(11)));
}

TEST(CatalogAgeTest, TheSameChangeToldByAnotherConnectionIsNoOther) {
  CatalogAge age;
  age.NoteDefaults(1, At(10));
  age.NoteDefaults(1, At(20));

  EXPECT_FALSE(age.IsOutdated(At(11)));
  age.NoteDefaults(2, At(30));
  EXPECT_TRUE(age.IsOutdated(At(11)));
}

TEST(CatalogAgeTest, EveryNewCountOfRelationsIsAnEpoch) {
  CatalogAge age;
  const std::uint64_t first = age.relations_epoch();
  age.NoteRelations(3, false);
  EXPECT_EQ(age.relations_epoch(), first + 1);
  age.NoteRelations(3, false);
  EXPECT_EQ(age.relations_epoch(), first + 1);
  age.NoteRelations(4, true);
  EXPECT_EQ(age.relations_epoch(), first + 2);
}

TEST(CatalogAgeTest, SmallerCountIsLateNewsUnlessTheServerHasStartedAgain) {
  CatalogAge age;
  age.NoteRelations(7, false);
  const std::uint64_t before = age.relations_epoch();

  age.NoteRelations(6, false);
  EXPECT_EQ(age.relations_epoch(), before);
  age.NoteRelations(0, true);
  EXPECT_EQ(age.relations_epoch(), before + 1);
  age.NoteRelations(1, false);
  EXPECT_EQ(age.relations_epoch(), before + 2);
}

TEST(CatalogAgeTest, StalePlansOfManyClientsAreOneEpochASecond) {
  CatalogAge age;
  const std::uint64_t before = age.relations_epoch();
  age.NoteStalePlan(At(10));
  age.NoteStalePlan(At(10));
  age.NoteStalePlan(At(11));
  EXPECT_EQ(age.relations_epoch(), before + 1);
  age.NoteStalePlan(At(13));
  EXPECT_EQ(age.relations_epoch(), before + 2);
}

}  // namespace
}  // namespace pgvalet::pool

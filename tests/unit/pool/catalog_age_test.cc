#include "pool/catalog_age.h"

#include <gtest/gtest.h>

namespace pgvalet::pool {
namespace {

constexpr Time At(int seconds) { return Time(std::chrono::seconds(seconds)); }

TEST(DefaultsAgeTest, NothingIsOutdatedBeforeAChangeIsTold) {
  const DefaultsAge age;

  EXPECT_FALSE(age.IsOutdated(At(0)));
  EXPECT_FALSE(age.IsOutdated(At(100)));
}

TEST(DefaultsAgeTest, NewDefaultsOutdateTheConnectionsThereAre) {
  DefaultsAge age;
  age.Note(1, At(10));

  EXPECT_TRUE(age.IsOutdated(At(9)));
  EXPECT_TRUE(age.IsOutdated(At(10)));
  EXPECT_FALSE(age.IsOutdated(At(11)));
}

TEST(DefaultsAgeTest, TheSameChangeToldByAnotherConnectionIsNoOther) {
  DefaultsAge age;
  age.Note(1, At(10));
  age.Note(1, At(20));

  EXPECT_FALSE(age.IsOutdated(At(11)));
  age.Note(2, At(30));
  EXPECT_TRUE(age.IsOutdated(At(11)));
}

TEST(CatalogEpochTest, EveryNewCountOfRelationsIsAnEpoch) {
  CatalogEpoch epoch;
  const std::uint64_t first = epoch.value();
  epoch.Note(3, false);
  EXPECT_EQ(epoch.value(), first + 1);
  epoch.Note(3, false);
  EXPECT_EQ(epoch.value(), first + 1);
  epoch.Note(4, true);
  EXPECT_EQ(epoch.value(), first + 2);
}

TEST(CatalogEpochTest, SmallerCountIsLateNewsUnlessTheServerHasStartedAgain) {
  CatalogEpoch epoch;
  epoch.Note(7, false);
  const std::uint64_t before = epoch.value();

  epoch.Note(6, false);
  EXPECT_EQ(epoch.value(), before);
  epoch.Note(0, true);
  EXPECT_EQ(epoch.value(), before + 1);
  epoch.Note(1, false);
  EXPECT_EQ(epoch.value(), before + 2);
}

TEST(CatalogEpochTest, StalePlansOfManyClientsAreOneEpochASecond) {
  CatalogEpoch epoch;
  const std::uint64_t before = epoch.value();
  epoch.NoteStalePlan(At(10));
  epoch.NoteStalePlan(At(10));
  epoch.NoteStalePlan(At(11));
  EXPECT_EQ(epoch.value(), before + 1);
  epoch.NoteStalePlan(At(13));
  EXPECT_EQ(epoch.value(), before + 2);
}

}  // namespace
}  // namespace pgvalet::pool

#include "pool/group.h"

#include <gtest/gtest.h>

#include <vector>

namespace pgvalet::pool {
namespace {

PoolPolicy SizeOf(int pool, int database = 0, int user = 0) {
  PoolPolicy policy;
  policy.pool_size = pool;
  policy.max_db_connections = database;
  policy.max_user_connections = user;
  return policy;
}

struct GroupTest : testing::Test {
  // As many as there are to be had.
  static std::vector<Quota> TakeAll(PoolGroup& group, const PoolPolicy& policy, int reserve = 0) {
    std::vector<Quota> taken;
    while (std::optional<Quota> quota = group.TakeQuota(policy, reserve, 0)) {
      taken.push_back(std::move(*quota));
    }
    return taken;
  }

  GroupDirectory directory;
  PoolGroupPtr group = directory.Find({"app", "alice"});
};

TEST_F(GroupTest, ADirectoryHasOneGroupForAKey) {
  EXPECT_EQ(directory.Find({"app", "alice"}), group);
  EXPECT_NE(directory.Find({"app", "bob"}), group);
}

TEST_F(GroupTest, PoolSizeIsTheMostAndWhatIsGivenBackIsThereAgain) {
  std::vector<Quota> taken = TakeAll(*group, SizeOf(3));
  EXPECT_EQ(taken.size(), 3U);
  EXPECT_EQ(group->server_connections(), 3);

  taken.pop_back();

  EXPECT_EQ(group->server_connections(), 2);
  EXPECT_TRUE(group->TakeQuota(SizeOf(3), 0, 0).has_value());
}

TEST_F(GroupTest, OnlyAPoolThatWasMadeSmallerIsTooLarge) {
  std::vector<Quota> taken = TakeAll(*group, SizeOf(3), /*reserve=*/2);
  EXPECT_FALSE(group->IsTooLarge(3));  // the reserve is in use

  group->BeginShrinking();
  EXPECT_TRUE(group->IsTooLarge(3));
  taken.resize(3);
  EXPECT_FALSE(group->IsTooLarge(3));

  taken.clear();
  taken = TakeAll(*group, SizeOf(3), /*reserve=*/2);
  EXPECT_FALSE(group->IsTooLarge(3));
}

TEST_F(GroupTest, ADatabaseIsDisabledByItselfOrWithAll) {
  EXPECT_FALSE(directory.IsDisabled("app"));
  directory.process_switches().disabled = true;
  EXPECT_TRUE(directory.IsDisabled("app"));
  directory.process_switches().disabled = false;
  directory.SwitchesOf("app")->disabled = true;
  EXPECT_TRUE(directory.IsDisabled("app"));
  EXPECT_FALSE(directory.IsDisabled("other"));
}

TEST_F(GroupTest, ReserveComesOnTop) { EXPECT_EQ(TakeAll(*group, SizeOf(3), 2).size(), 5U); }

TEST_F(GroupTest, LimitOfTheDatabaseCountsAllItsPools) {
  const PoolGroupPtr other = directory.Find({"app", "bob"});
  const std::vector<Quota> taken = TakeAll(*group, SizeOf(2, 3));

  EXPECT_EQ(TakeAll(*other, SizeOf(5, 3)).size(), 1U);
  EXPECT_EQ(other->server_connections(), 0);  // all given back
  EXPECT_EQ(taken.size(), 2U);
}

TEST_F(GroupTest, LimitOfTheUserThatRefusesTakesNothingFromTheDatabase) {
  const PoolGroupPtr other = directory.Find({"app", "bob"});
  const std::vector<Quota> taken = TakeAll(*group, SizeOf(9, 3, 2));
  EXPECT_EQ(taken.size(), 2U);

  EXPECT_EQ(TakeAll(*other, SizeOf(9, 3, 2)).size(), 1U);
}

TEST_F(GroupTest, PoolThatWaitsLongerGetsRoomOnceAndThePlaceIsKeptForIt) {
  const PoolGroupPtr waiting = directory.Find({"app", "bob"});
  std::vector<Quota> taken = TakeAll(*group, SizeOf(2, 2));
  EXPECT_FALSE(group->ShouldMakeRoom(0, 1000));

  waiting->ShowBlocked(SizeOf(2, 2), 500, 1000);
  EXPECT_FALSE(group->ShouldMakeRoom(600, 1000));  // somebody of ours waits longer
  EXPECT_TRUE(group->ShouldMakeRoom(100, 1000));
  EXPECT_FALSE(group->ShouldMakeRoom(100, 1000));  // one connection each time it is said

  taken.pop_back();
  EXPECT_FALSE(group->TakeQuota(SizeOf(2, 2), 0, 1000).has_value());
  EXPECT_TRUE(waiting->TakeQuota(SizeOf(2, 2), 0, 1000).has_value());
}

TEST_F(GroupTest, WhatABlockedPoolSaidGrowsOld) {
  const PoolGroupPtr waiting = directory.Find({"app", "bob"});
  const std::vector<Quota> taken = TakeAll(*group, SizeOf(2, 2));
  waiting->ShowBlocked(SizeOf(2, 2), 500, 1000);

  EXPECT_FALSE(group->ShouldMakeRoom(100, 10'000'000));
}

TEST_F(GroupTest, TheCoreWhoseClientWaitsLongestIsHelpedFirst) {
  EXPECT_FALSE(group->AnyWanting());
  group->SetWanting(2, 300);
  group->SetWanting(5, 100);
  group->SetWanting(7, 200);

  EXPECT_TRUE(group->AnyWanting());
  EXPECT_EQ(group->LongestWanting(0, 1000), 5);
  EXPECT_EQ(group->LongestWanting(5, 1000), 7);  // not itself
  EXPECT_EQ(group->LongestWanting(0, 100), -1);  // nobody began before that

  for (const int core : {2, 5, 7}) group->SetWanting(core, 0);
  EXPECT_FALSE(group->AnyWanting());
}

TEST_F(GroupTest, FirstConnectionWithoutTheExtensionIsTheFirstOnce) {
  EXPECT_TRUE(group->FirstWithoutExtension());
  EXPECT_FALSE(group->FirstWithoutExtension());
}

}  // namespace
}  // namespace pgvalet::pool

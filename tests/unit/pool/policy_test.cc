#include "pool/policy.h"

#include <gmock/gmock.h>

namespace pgvalet::pool {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;
using testing::Pair;

struct PolicyTest : testing::Test {
  PolicyTest() { settings.databases["app"] = {}; }

  PoolPolicy Policy() const { return PolicyFor(settings, {"app", "alice"}, "pgvaletd/test"); }

  config::Settings settings;
};

TEST_F(PolicyTest, UserGoesBeforeDatabaseGoesBeforeAll) {
  settings.pool_mode = config::PoolMode::kSession;
  settings.default_pool_size = 20;
  EXPECT_EQ(Policy().mode, config::PoolMode::kSession);
  EXPECT_EQ(Policy().pool_size, 20);

  settings.databases["app"].pool_mode = config::PoolMode::kStatement;
  settings.databases["app"].pool_size = 5;
  EXPECT_EQ(Policy().mode, config::PoolMode::kStatement);
  EXPECT_EQ(Policy().pool_size, 5);

  settings.users["alice"].pool_mode = config::PoolMode::kTransaction;
  settings.users["alice"].pool_size = 7;
  EXPECT_EQ(Policy().mode, config::PoolMode::kTransaction);
  EXPECT_EQ(Policy().pool_size, 7);
}

TEST_F(PolicyTest, SizeGivenByAnAdministratorGoesBeforeAllSettings) {
  settings.users["alice"].pool_size = 7;
  settings.resized_pools[{"app", ""}] = 30;
  EXPECT_EQ(Policy().pool_size, 30);

  settings.resized_pools[{"app", "alice"}] = 40;
  EXPECT_EQ(Policy().pool_size, 40);

  settings.resized_pools = {{{"app", "bob"}, 50}, {{"other", ""}, 60}};
  EXPECT_EQ(Policy().pool_size, 7);
}

TEST_F(PolicyTest, UsersOfOtherNamesDoNotCount) {
  settings.users["bob"].pool_size = 7;

  EXPECT_EQ(Policy().pool_size, settings.default_pool_size);
}

TEST_F(PolicyTest, DatabaseIsCalledAsTheClientCallsItUnlessItIsSaid) {
  EXPECT_EQ(Policy().dbname, "app");
  settings.databases["app"].dbname = "real";
  EXPECT_EQ(Policy().dbname, "real");
}

TEST_F(PolicyTest, ServerLearnsWhoseConnectionItIs) {
  EXPECT_THAT(Policy().startup, Contains(Pair("pgvalet.agent", "pgvaletd/test")));
  EXPECT_THAT(Policy().startup, Contains(Pair("pgvalet.agent_pool_mode", "transaction")));
  EXPECT_THAT(Policy().startup, Not(Contains(Key("application_name"))));
}

TEST_F(PolicyTest, ShareOfPinsIsRoundedAndAtLeastOne) {
  settings.default_pool_size = 10;
  settings.max_pinned_share_thousandths = 800;
  EXPECT_EQ(Policy().max_pinned, 8);
  settings.default_pool_size = 1;
  EXPECT_EQ(Policy().max_pinned, 1);
  settings.max_pinned_share_thousandths = 0;
  EXPECT_EQ(Policy().max_pinned, 1);
}

TEST_F(PolicyTest, ConnectTimeoutZeroIsNoLimitOfSeconds) {
  const Time now = Time(std::chrono::hours(5));
  settings.server_connect_timeout = std::chrono::seconds(3);
  EXPECT_EQ(Policy().ServerDeadline(now), now + std::chrono::seconds(3));
  settings.server_connect_timeout = Duration::zero();
  EXPECT_GE(Policy().ServerDeadline(now), now + std::chrono::hours(1));
}

}  // namespace
}  // namespace pgvalet::pool

// Each rule about pools comes, stays and goes.
#include "watch.h"

namespace pgvalet::advice {
namespace {

using testing::HasSubstr;

using PoolRulesTest = Watch;

TEST_F(PoolRulesTest, AHealthyPoolHasNoAlert) {
  pool().now.servers_active = 10;
  pool().now.servers_idle = 5;
  pool().now.clients_waiting = 2;
  pool().window.wait_time = {
      .count = 100, .p50_us = 10, .p90_us = 100, .p99_us = 1000, .max_us = 9};
  Pass(60);

  EXPECT_TRUE(snapshot.alerts.empty());
}

TEST_F(PoolRulesTest, UtilizationComesStaysAndGoes) {
  pool().now.servers_active = 16;
  Pass(4);
  ASSERT_TRUE(Has("pool_utilization"));
  const stats::Alert& alert = *Find("pool_utilization");
  EXPECT_EQ(alert.component, "pool app/alice");
  EXPECT_EQ(alert.database, "app");
  EXPECT_EQ(alert.user, "alice");
  EXPECT_EQ(alert.message, "16 of 20 server connections are in use (80 %), 0 clients are waiting");
  EXPECT_THAT(alert.recommendation, HasSubstr("Raise pool_size of this pool (now 20)"));
  EXPECT_EQ(alert.value, 80);
  EXPECT_EQ(alert.threshold, 80);
  EXPECT_EQ(alert.unit, "percent");
  pool().now.servers_active = 5;
  Pass(11);

  EXPECT_FALSE(Has("pool_utilization"));
}

TEST_F(PoolRulesTest, UtilizationOfASessionPoolRecommendsTransactionMode) {
  pool().pool_mode = "session";
  pool().now.servers_active = 20;
  Pass(4);

  EXPECT_THAT(Find("pool_utilization")->recommendation, HasSubstr("pool_mode = transaction"));
}

TEST_F(PoolRulesTest, WaitersComeStayAndGo) {
  pool().now.servers_active = 20;
  pool().now.clients_waiting = 12;
  pool().now.longest_wait_us = 400'000;
  Pass(4);
  ASSERT_TRUE(Has("pool_waiters"));
  EXPECT_EQ(Find("pool_waiters")->message,
            "12 clients wait for a server connection, the longest for 0.4 s; 20 of 20 are in use");
  EXPECT_THAT(Find("pool_waiters")->recommendation, HasSubstr("Raise pool_size"));
  pool().now.clients_waiting = 0;
  Pass(11);

  EXPECT_FALSE(Has("pool_waiters"));
}

TEST_F(PoolRulesTest, WaitersBeforeFreeRoomPointToTheServer) {
  pool().now.servers_active = 3;
  pool().now.clients_waiting = 12;
  Pass(4);

  EXPECT_THAT(Find("pool_waiters")->recommendation, HasSubstr("max_connections"));
}

TEST_F(PoolRulesTest, WaitTimeComesFromThePercentileAndFromTheLongestWait) {
  pool().window.wait_time.p99_us = 1'200'000;
  Pass(4);
  ASSERT_TRUE(Has("pool_wait_time"));
  EXPECT_EQ(Find("pool_wait_time")->severity, stats::Severity::kWarning);
  EXPECT_EQ(Find("pool_wait_time")->value, 1.2);
  pool().now.longest_wait_us = 10'000'000;
  Next();
  EXPECT_EQ(Find("pool_wait_time")->severity, stats::Severity::kCritical);
  pool().now.longest_wait_us = 0;
  pool().window.wait_time.p99_us = 0;
  Pass(11);

  EXPECT_FALSE(Has("pool_wait_time"));
}

TEST_F(PoolRulesTest, RefusedByQueryWaitTimeoutComesAtOnceAndGoesAMinuteLater) {
  Pass(100);
  pool().totals.lease_timeouts = 7;
  Next();
  ASSERT_TRUE(Has("pool_query_wait_timeouts"));
  EXPECT_EQ(Find("pool_query_wait_timeouts")->severity, stats::Severity::kCritical);
  EXPECT_THAT(Find("pool_query_wait_timeouts")->message, HasSubstr("7 clients were refused"));
  Pass(75);  // at most 60 s in which it counts, and alert_off_after

  EXPECT_FALSE(Has("pool_query_wait_timeouts"));
}

TEST_F(PoolRulesTest, CountsOfLongAgoAreNoAlert) {
  // Seen with its counts for the first time long after they were made.
  pool().totals.lease_timeouts = 7;
  Pass(120);
  EXPECT_FALSE(Has("pool_query_wait_timeouts"));
  pool().totals.lease_timeouts = 8;
  Next();

  EXPECT_EQ(Find("pool_query_wait_timeouts")->value, 1);
}

TEST_F(PoolRulesTest, APoolThatComesBackWithSmallerCountersIsCountedFromZero) {
  pool().totals.lease_timeouts = 50;
  Pass(120);
  pool().totals.lease_timeouts = 2;
  Next();

  EXPECT_EQ(Find("pool_query_wait_timeouts")->value, 2);
}

TEST_F(PoolRulesTest, FailedConnectionsComeStayAndGo) {
  Pass(100);
  pool().now.servers_idle = 3;
  pool().totals.server_connect_failures = 2;
  Next();
  ASSERT_TRUE(Has("pool_failed_connections"));
  EXPECT_EQ(Find("pool_failed_connections")->message,
            "2 server connections could not be opened in the last minute; 3 are open");
  Pass(75);

  EXPECT_FALSE(Has("pool_failed_connections"));
}

TEST_F(PoolRulesTest, AServerIsDownWhenNoPoolOfItsDatabaseHasAConnectionAndAttemptsFail) {
  snapshot.pools.push_back(pool());
  snapshot.pools[1].user = "bob";
  pool().totals.server_connect_failures = 3;
  Pass(4);
  ASSERT_TRUE(Has("server_down"));
  EXPECT_EQ(Find("server_down")->component, "database app");
  EXPECT_EQ(Find("server_down")->severity, stats::Severity::kCritical);
  snapshot.pools[1].now.servers_idle = 1;
  Pass(11);

  EXPECT_FALSE(Has("server_down"));
}

TEST_F(PoolRulesTest, AServerIsNotDownWhileAnotherPoolOfItsDatabaseIsConnected) {
  snapshot.pools.push_back(pool());
  snapshot.pools[1].user = "bob";
  snapshot.pools[1].now.servers_active = 1;
  pool().totals.server_connect_failures = 3;
  Pass(10);

  EXPECT_FALSE(Has("server_down"));
}

TEST_F(PoolRulesTest, AnIdlePoolWithoutConnectionsIsNotDown) {
  Pass(10);

  EXPECT_FALSE(Has("server_down"));
}

TEST_F(PoolRulesTest, TheOldestLongPinOfEachPoolComesStaysAndGoes) {
  snapshot.pins = {{.client = {.database = "app",
                               .user = "alice",
                               .client = "10.0.0.7:5123",
                               .application_name = "jobs",
                               .server_pid = 4711,
                               .reasons = {{"temporary_objects", 2}}},
                    .age_us = 400'000'000},
                   PinOf("app", "alice", 350'000'000)};
  Next();
  ASSERT_TRUE(Has("pool_long_pins"));
  EXPECT_EQ(snapshot.alerts.size(), 1U);
  EXPECT_EQ(Find("pool_long_pins")->message,
            "client 10.0.0.7:5123 (application \"jobs\") has held backend 4711 between "
            "transactions for 400 s: temporary_objects");
  snapshot.pins.clear();
  Pass(11);

  EXPECT_FALSE(Has("pool_long_pins"));
}

TEST_F(PoolRulesTest, PinnedShareComesStaysAndGoesButNotInSessionMode) {
  pool().now.clients_pinned = 10;
  Pass(4);
  ASSERT_TRUE(Has("pool_pinned"));
  EXPECT_EQ(Find("pool_pinned")->value, 50);
  pool().pool_mode = "session";
  Pass(11);

  EXPECT_FALSE(Has("pool_pinned"));
}

}  // namespace
}  // namespace pgvalet::advice

// What one snapshot after the other costs and leaves behind.
#include "watch.h"

namespace pgvalet::advice {
namespace {

using AdviserTest = Watch;

TEST_F(AdviserTest, SnapshotsOutOfTurnMakeNoAlertComeSooner) {
  pool().now.servers_active = 20;
  Next();
  // A console that asks for snapshots of now.
  for (int i = 0; i < 100; ++i) {
    ++snapshot.sequence;
    snapshot.time += std::chrono::milliseconds(1);
    snapshot.steady_time += std::chrono::milliseconds(1);
    snapshot.alerts = adviser->Judge(snapshot);
  }

  EXPECT_FALSE(Has("pool_utilization"));
}

TEST_F(AdviserTest, WithAlertOnAfterZeroTheFirstSnapshotIsEnough) {
  settings.alert_on_after = Duration::zero();
  settings.alert_off_after = Duration::zero();
  pool().now.servers_active = 20;
  Next();
  EXPECT_TRUE(Has("pool_utilization"));
  pool().now.servers_active = 0;
  Next();

  EXPECT_FALSE(Has("pool_utilization"));
}

TEST_F(AdviserTest, EveryAlertSaysWhatWhereHowBadSinceWhenAndWhatToDo) {
  settings.alert_on_after = Duration::zero();
  settings.alert_paused_after = kSecond;
  const stats::PoolSnapshot one = pool();
  pool().now = {.clients_waiting = 50,
                .clients_pinned = 15,
                .servers_active = 20,
                .pool_size = 20,
                .longest_wait_us = 20'000'000};
  pool().totals.lease_timeouts = 1;
  pool().totals.server_connect_failures = 1;
  snapshot.pools.push_back(one);
  snapshot.pools[1].database = "dead";
  snapshot.pools[1].totals.server_connect_failures = 9;
  snapshot.pins = {PinOf("app", "alice", 900'000'000)};
  agent().clients = 999;
  agent().refused = 5;
  agent().login_failures = 50;
  agent().process = {.open_fds = 1000, .max_fds = 1024};
  agent().cores = {{.core = 0, .busy_share = 1}};
  agent().status.channels.connections_lost = 1;
  agent().status.switched = {{.database = "app", .paused = true}};
  sample.available = true;
  sample.summary.connections = 97;
  sample.backends = {BackendOf(1, "idle in transaction", snapshot.time - 1000 * kSecond)};
  sample.advice = std::make_shared<const std::vector<stats::AdviceRow>>(
      std::vector<stats::AdviceRow>{{"warning", "work_mem", "application 'a'", "much", "Less."}});
  Pass(3);

  EXPECT_EQ(snapshot.alerts.size(), 19U);
  for (const stats::Alert& alert : snapshot.alerts) {
    EXPECT_NE(alert.name, "");
    EXPECT_NE(alert.kind, "") << alert.name;
    EXPECT_NE(alert.component, "") << alert.name;
    EXPECT_NE(alert.message, "") << alert.name;
    EXPECT_TRUE(alert.recommendation.ends_with(".")) << alert.name << ": " << alert.recommendation;
    EXPECT_GT(alert.since, stats::WallTime{}) << alert.name;
    EXPECT_GE(alert.value, alert.threshold) << alert.name;
  }
}

}  // namespace
}  // namespace pgvalet::advice

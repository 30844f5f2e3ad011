// When what rules see becomes an alert, and when the alert ends.
#include "watch.h"

namespace pgvalet::advice {
namespace {

using HysteresisTest = Watch;

TEST_F(HysteresisTest, WhatIsReachedForLessThanAlertOnAfterIsNoAlert) {
  pool().now.servers_active = 18;
  Pass(3);  // 2 s from the first snapshot to the third

  EXPECT_FALSE(Has("pool_utilization"));
}

TEST_F(HysteresisTest, WhatIsReachedForAlertOnAfterIsAnAlertSinceItsBegin) {
  pool().now.servers_active = 18;
  Next();
  const stats::WallTime begin = snapshot.time;
  Pass(3);

  ASSERT_TRUE(Has("pool_utilization"));
  EXPECT_EQ(Find("pool_utilization")->since, begin);
}

TEST_F(HysteresisTest, OneSnapshotBelowTheThresholdBeginsTheWaitAnew) {
  pool().now.servers_active = 18;
  Pass(3);
  pool().now.servers_active = 10;
  Next();
  pool().now.servers_active = 18;
  Pass(3);

  EXPECT_FALSE(Has("pool_utilization"));
}

TEST_F(HysteresisTest, AnAlertThatIsThereStaysWhileItsValueIsNearTheThreshold) {
  pool().now.servers_active = 16;  // 80 %
  Pass(4);
  ASSERT_TRUE(Has("pool_utilization"));
  pool().now.servers_active = 15;  // 75 %: below 80, above 72
  Pass(60);

  EXPECT_TRUE(Has("pool_utilization"));
  EXPECT_EQ(Find("pool_utilization")->value, 75);
}

TEST_F(HysteresisTest, AValueThatFlapsMakesOneAlertAndNotMany) {
  pool().now.servers_active = 20;
  Pass(4);
  ASSERT_TRUE(Has("pool_utilization"));
  const stats::WallTime since = Find("pool_utilization")->since;
  for (int i = 0; i < 20; ++i) {
    pool().now.servers_active = i % 2 == 0 ? 0 : 20;
    Next();
    ASSERT_TRUE(Has("pool_utilization")) << i;
    EXPECT_EQ(Find("pool_utilization")->since, since);
  }
}

TEST_F(HysteresisTest, AnAlertEndsWhenItsValueWasWellBelowForAlertOffAfter) {
  pool().now.servers_active = 20;
  Pass(4);
  pool().now.servers_active = 2;
  Pass(10);
  EXPECT_TRUE(Has("pool_utilization"));
  Next();

  EXPECT_FALSE(Has("pool_utilization"));
}

TEST_F(HysteresisTest, AnAlertOfAPoolThatWentAwayEnds) {
  pool().now.servers_active = 20;
  Pass(4);
  ASSERT_TRUE(Has("pool_utilization"));
  snapshot.pools.clear();
  Pass(11);

  EXPECT_FALSE(Has("pool_utilization"));
}

TEST_F(HysteresisTest, SeverityRisesAtOnceAndFallsAfterAlertOffAfter) {
  pool().now.servers_active = 20;
  Pass(4);
  EXPECT_EQ(Find("pool_utilization")->severity, stats::Severity::kWarning);
  pool().now.clients_waiting = 20;
  Next();
  EXPECT_EQ(Find("pool_utilization")->severity, stats::Severity::kCritical);
  pool().now.clients_waiting = 0;
  Pass(10);
  EXPECT_EQ(Find("pool_utilization")->severity, stats::Severity::kCritical);
  Next();

  EXPECT_EQ(Find("pool_utilization")->severity, stats::Severity::kWarning);
}

TEST_F(HysteresisTest, BeginWorseningAndEndOfAnAlertAreAnEventEach) {
  stats::EventLog events;
  adviser = std::make_unique<Adviser>(Share(), &events);
  pool().now.servers_active = 20;
  Pass(10);
  pool().now.clients_waiting = 20;
  Pass(2);
  pool().now = {.servers_active = 1, .pool_size = 20};
  Pass(20);

  const std::vector<stats::Event> told = events.Since(0, 100).events;
  std::vector<std::string> kinds;
  for (const stats::Event& event : told) {
    if (event.message.starts_with("pool_utilization: pool app/alice")) kinds.push_back(event.kind);
  }
  EXPECT_THAT(kinds, testing::ElementsAre("alert_begun", "alert_worse", "alert_ended"));
  EXPECT_EQ(told.front().database, "app");
  EXPECT_EQ(told.front().user, "alice");
}

TEST_F(HysteresisTest, TheMostSevereComesFirstAndOfTheseTheOldest) {
  snapshot.pools.push_back(pool());
  snapshot.pools[1].user = "bob";
  snapshot.pools.push_back(pool());
  snapshot.pools[2].user = "carol";
  snapshot.pools[1].now.servers_active = 20;
  Next();
  pool().now.servers_active = 20;
  snapshot.pools[2].now.servers_active = 20;
  snapshot.pools[2].now.clients_waiting = 20;
  settings.alert_waiting_clients = 0;
  Reload();
  Pass(4);

  ASSERT_EQ(snapshot.alerts.size(), 3U);
  EXPECT_EQ(snapshot.alerts[0].user, "carol");
  EXPECT_EQ(snapshot.alerts[1].user, "bob");
  EXPECT_EQ(snapshot.alerts[2].user, "alice");
}

TEST_F(HysteresisTest, OfVeryManyAlertsTheLastSaysHowManyAreNotShown) {
  const stats::PoolSnapshot one = pool();
  snapshot.pools.clear();
  for (int i = 0; i < 500; ++i) {
    snapshot.pools.push_back(one);
    snapshot.pools.back().user = "user" + std::to_string(1000 + i);
    snapshot.pools.back().now.servers_active = 20;
  }
  Pass(4);

  ASSERT_EQ(snapshot.alerts.size(), AlertBook::kMostAlerts);
  EXPECT_EQ(snapshot.alerts.back().name, "more_alerts");
  EXPECT_EQ(snapshot.alerts.back().message, "301 more alerts are not shown");
}

TEST_F(HysteresisTest, ANewThresholdEndsAlertsThatAreBelowItAtOnce) {
  pool().now.servers_active = 17;  // 85 %
  Pass(4);
  ASSERT_TRUE(Has("pool_utilization"));
  settings.alert_utilization_percent = 99;
  Reload();
  Next();

  EXPECT_FALSE(Has("pool_utilization"));
}

TEST_F(HysteresisTest, ARuleThatIsSwitchedOffIsSilentAndOneSwitchedOnSpeaks) {
  settings.alert_utilization_percent = 0;
  pool().now.servers_active = 20;
  Pass(10);
  EXPECT_FALSE(Has("pool_utilization"));
  settings.alert_utilization_percent = 80;
  Reload();
  Pass(4);

  EXPECT_TRUE(Has("pool_utilization"));
}

}  // namespace
}  // namespace pgvalet::advice

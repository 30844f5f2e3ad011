// One word for a pool and for the whole.
#include "advice/health.h"

#include "watch.h"

namespace pgvalet::advice {
namespace {

using HealthTest = Watch;

TEST_F(HealthTest, WithoutAlertsAllIsWell) {
  EXPECT_EQ(HealthOf(pool(), snapshot), Health::kOk);
  EXPECT_EQ(HealthOf(snapshot), Health::kOk);
  EXPECT_STREQ(HealthName(Health::kOk), "ok");
}

TEST_F(HealthTest, AWarningDegradesItsPoolAndNoOther) {
  snapshot.pools.push_back(pool());
  snapshot.pools[1].user = "bob";
  pool().now.servers_active = 20;
  Pass(4);

  EXPECT_EQ(HealthOf(snapshot.pools[0], snapshot), Health::kDegraded);
  EXPECT_EQ(HealthOf(snapshot.pools[1], snapshot), Health::kOk);
  EXPECT_EQ(HealthOf(snapshot), Health::kDegraded);
}

TEST_F(HealthTest, AServerThatIsDownTakesThePoolsOfItsDatabaseDown) {
  snapshot.pools.push_back(pool());
  snapshot.pools[1].database = "other";
  pool().totals.server_connect_failures = 3;
  Pass(4);

  EXPECT_EQ(HealthOf(snapshot.pools[0], snapshot), Health::kDown);
  EXPECT_EQ(HealthOf(snapshot.pools[1], snapshot), Health::kOk);
  EXPECT_EQ(HealthOf(snapshot), Health::kDegraded);
}

TEST_F(HealthTest, TheWholeIsDownWhenAllPoolsAreOrClientsAreNotLetIn) {
  pool().totals.server_connect_failures = 3;
  Pass(4);
  EXPECT_EQ(HealthOf(snapshot), Health::kDown);
  snapshot.alerts.clear();
  agent().status.listening = false;

  EXPECT_EQ(HealthOf(snapshot), Health::kDown);
}

TEST_F(HealthTest, HintsDegradeNothing) {
  snapshot.alerts.resize(1);
  snapshot.alerts[0].severity = stats::Severity::kInfo;

  EXPECT_EQ(HealthOf(snapshot), Health::kOk);
}

}  // namespace
}  // namespace pgvalet::advice

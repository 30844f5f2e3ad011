// Each rule about the agent itself comes, stays and goes.
#include "watch.h"

namespace pgvalet::advice {
namespace {

using testing::HasSubstr;

using AgentRulesTest = Watch;

TEST_F(AgentRulesTest, ClientsNearTheirLimitComeStayAndGo) {
  agent().clients = 800;
  Pass(4);
  ASSERT_TRUE(Has("clients_near_limit"));
  EXPECT_EQ(Find("clients_near_limit")->severity, stats::Severity::kWarning);
  EXPECT_EQ(Find("clients_near_limit")->message,
            "800 of max_client_conn = 1000 clients are connected (80 %)");
  agent().clients = 950;
  Next();
  EXPECT_EQ(Find("clients_near_limit")->severity, stats::Severity::kCritical);
  agent().clients = 10;
  Pass(11);

  EXPECT_FALSE(Has("clients_near_limit"));
}

TEST_F(AgentRulesTest, RefusedClientsComeAtOnceAndGo) {
  Pass(100);
  agent().refused = 3;
  Next();
  ASSERT_TRUE(Has("clients_refused"));
  EXPECT_EQ(Find("clients_refused")->severity, stats::Severity::kCritical);
  Pass(75);

  EXPECT_FALSE(Has("clients_refused"));
}

TEST_F(AgentRulesTest, ADrainingAgentRefusesOnPurpose) {
  agent().status.state = stats::AgentState::kDraining;
  agent().refused = 3;
  Next();

  EXPECT_FALSE(Has("clients_refused"));
}

TEST_F(AgentRulesTest, LoginFailuresComeStayAndGo) {
  Pass(100);
  agent().login_failures = 19;
  Next();
  EXPECT_FALSE(Has("login_failures"));
  agent().login_failures = 20;
  Next();
  ASSERT_TRUE(Has("login_failures"));
  EXPECT_THAT(Find("login_failures")->message, HasSubstr("20 logins of clients failed"));
  Pass(75);

  EXPECT_FALSE(Has("login_failures"));
}

TEST_F(AgentRulesTest, OpenFilesComeStayAndGo) {
  agent().process = {.open_fds = 850, .max_fds = 1024};
  Pass(4);
  ASSERT_TRUE(Has("open_files"));
  EXPECT_EQ(Find("open_files")->message, "850 of 1024 file descriptors are open (83 %)");
  agent().process.open_fds = 100;
  Pass(11);

  EXPECT_FALSE(Has("open_files"));
}

TEST_F(AgentRulesTest, WhatTheSystemDoesNotSayIsNoAlert) {
  agent().process = {.open_fds = 0, .max_fds = 0};
  agent().status.max_clients = 0;
  Pass(10);

  EXPECT_TRUE(snapshot.alerts.empty());
}

TEST_F(AgentRulesTest, ABusyCoreComesStaysAndGoes) {
  agent().cores = {{.core = 0, .clients = 5, .busy_share = 0.2},
                   {.core = 1, .clients = 7, .busy_share = 0.97}};
  Pass(4);
  ASSERT_TRUE(Has("core_busy"));
  EXPECT_EQ(Find("core_busy")->component, "core 1");
  EXPECT_EQ(Find("core_busy")->message, "busy 97 % of its time, with 7 clients");
  agent().cores[1].busy_share = 0.3;
  Pass(11);

  EXPECT_FALSE(Has("core_busy"));
}

TEST_F(AgentRulesTest, LostListeningConnectionsComeStayAndGo) {
  Pass(100);
  agent().status.channels.connections_lost = 1;
  Next();
  ASSERT_TRUE(Has("listening_lost"));
  EXPECT_EQ(Find("listening_lost")->severity, stats::Severity::kWarning);
  agent().status.channels.clients_lost = 4;
  Next();
  EXPECT_EQ(Find("listening_lost")->severity, stats::Severity::kCritical);
  EXPECT_THAT(Find("listening_lost")->message, HasSubstr("4 clients were ended"));
  Pass(90);

  EXPECT_FALSE(Has("listening_lost"));
}

TEST_F(AgentRulesTest, WhatStaysPausedComesAfterAlertPausedAfterAndGoes) {
  agent().status.switched = {{.database = "app", .paused = true}};
  Pass(300);
  EXPECT_FALSE(Has("paused"));
  Next();
  ASSERT_TRUE(Has("paused"));
  EXPECT_EQ(Find("paused")->component, "database app");
  EXPECT_EQ(Find("paused")->message, "is paused: clients wait");
  agent().status.switched.clear();
  Pass(11);

  EXPECT_FALSE(Has("paused"));
}

TEST_F(AgentRulesTest, ADisabledDatabaseAndAPauseOfAllSayWhatTheyAre) {
  settings.alert_paused_after = 2 * kSecond;
  agent().status.switched = {{.database = "", .paused = true},
                             {.database = "app", .disabled = true}};
  Pass(3);

  EXPECT_EQ(Find("paused", "agent")->message, "all databases are paused: clients wait");
  EXPECT_EQ(Find("paused", "database app")->message, "is disabled: new clients are refused");
}

}  // namespace
}  // namespace pgvalet::advice

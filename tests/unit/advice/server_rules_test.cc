// Each rule about the server and the extension comes, stays and goes.
#include "watch.h"

namespace pgvalet::advice {
namespace {

using testing::HasSubstr;

struct ServerRulesTest : Watch {
  ServerRulesTest() {
    sample.available = true;
    sample.reason.clear();
  }

  void Advise(std::vector<stats::AdviceRow> rows) {
    sample.advice = std::make_shared<const std::vector<stats::AdviceRow>>(std::move(rows));
  }
};

TEST_F(ServerRulesTest, ConnectionsOfTheServerComeStayAndGo) {
  sample.summary.connections = 80;
  sample.summary.agent_connections = 50;
  Pass(4);
  ASSERT_TRUE(Has("server_connections"));
  EXPECT_EQ(Find("server_connections")->message,
            "80 of the 97 connections that ordinary roles may have are taken (82 %): 50 by agents, "
            "30 directly");
  sample.summary.connections = 93;
  Next();
  EXPECT_EQ(Find("server_connections")->severity, stats::Severity::kCritical);
  sample.summary.connections = 20;
  Pass(11);

  EXPECT_FALSE(Has("server_connections"));
}

TEST_F(ServerRulesTest, IdleInTransactionComesStaysAndGoes) {
  sample.backends = {BackendOf(10, "active", snapshot.time - 900 * kSecond),
                     BackendOf(11, "idle in transaction", snapshot.time - 57 * kSecond),
                     BackendOf(12, "idle in transaction (aborted)", snapshot.time - 10 * kSecond)};
  sample.backends[1].database_name = "app";
  sample.backends[1].role_name = "alice";
  sample.backends[1].application_name = "jobs";
  Pass(3);
  EXPECT_FALSE(Has("idle_in_transaction"));
  Pass(3);
  ASSERT_TRUE(Has("idle_in_transaction"));
  EXPECT_EQ(Find("idle_in_transaction")->message,
            "1 session waits inside a transaction for 60 s or more, the longest for 63 s: backend "
            "11, role alice, database app, application \"jobs\"");
  sample.backends.clear();
  Pass(11);

  EXPECT_FALSE(Has("idle_in_transaction"));
}

TEST_F(ServerRulesTest, AnExtensionThatCannotBeReadComesStaysAndGoes) {
  Next();
  sample.available = false;
  sample.reason = "the extension pgvalet is not installed in database \"app\"";
  Pass(4);
  ASSERT_TRUE(Has("extension_unreadable"));
  EXPECT_EQ(Find("extension_unreadable")->message,
            "the extension pgvalet is not installed in database \"app\"");
  EXPECT_EQ(Find("extension_unreadable")->kind, "extension");
  EXPECT_EQ(Find("extension_unreadable")->severity, stats::Severity::kWarning);
  sample.available = true;
  Pass(11);

  EXPECT_FALSE(Has("extension_unreadable"));
}

TEST_F(ServerRulesTest, AServerThatNeverHadTheExtensionIsAHintAndNoTrouble) {
  sample.available = false;
  sample.sampled_at = snapshot.time;
  Pass(4);

  ASSERT_TRUE(Has("extension_unreadable"));
  EXPECT_EQ(Find("extension_unreadable")->severity, stats::Severity::kInfo);
}

TEST_F(ServerRulesTest, AnExtensionThatIsNotToBeReadIsNoAlert) {
  sample.available = false;
  sample.sampled_at = snapshot.time;
  settings.sampler_interval = Duration::zero();
  Pass(10);

  EXPECT_TRUE(snapshot.alerts.empty());
}

TEST_F(ServerRulesTest, AnExtensionThatWasNotTriedYetIsNoAlert) {
  sample.available = false;
  Pass(10);

  EXPECT_TRUE(snapshot.alerts.empty());
}

TEST_F(ServerRulesTest, ASampleThatDoesNotComeAnyMoreIsAnAlert) {
  Next();
  // The sampler hangs: what it read last stays.
  for (int i = 0; i < 40; ++i) {
    ++snapshot.sequence;
    snapshot.time += kSecond;
    snapshot.steady_time += kSecond;
    snapshot.alerts = adviser->Judge(snapshot);
  }

  ASSERT_TRUE(Has("extension_unreadable"));
  EXPECT_EQ(Find("extension_unreadable")->message, "it was last read 40 s ago");
}

TEST_F(ServerRulesTest, AdviceOfTheExtensionBecomesAlertsAndGoesWithIt) {
  Advise({{"critical", "leak", "backend 71221", "waits inside a transaction for 114 s", "End it."},
          {"warning", "io_budget", "application 'reports'", "15 MB per second", "Less."},
          {"info", "no_limit", "server", "no limit", "Set one."}});
  Next();
  ASSERT_EQ(snapshot.alerts.size(), 3U);
  const stats::Alert& leak = *Find("advice_leak");
  EXPECT_EQ(leak.severity, stats::Severity::kCritical);
  EXPECT_EQ(leak.kind, "backend");
  EXPECT_EQ(leak.component, "backend 71221");
  EXPECT_EQ(leak.message, "waits inside a transaction for 114 s");
  EXPECT_EQ(leak.recommendation, "End it.");
  EXPECT_EQ(Find("advice_io_budget")->kind, "application");
  EXPECT_EQ(Find("advice_no_limit")->severity, stats::Severity::kInfo);
  Advise({});
  Pass(11);

  EXPECT_TRUE(snapshot.alerts.empty());
}

TEST_F(ServerRulesTest, SeveralFindingsOfOneRuleOnOneSubjectAreOneAlert) {
  Advise({{"warning", "repetition", "application 'orm'", "query 1", "Find the loop."},
          {"warning", "repetition", "application 'orm'", "query 2", "Find the loop."}});
  Pass(3);

  ASSERT_EQ(snapshot.alerts.size(), 1U);
  EXPECT_EQ(snapshot.alerts[0].message, "query 1 (and 1 more of this kind)");
}

TEST_F(ServerRulesTest, AdviceOnTheConnectionLimitIsLeftToOurOwnRule) {
  Advise({{"warning", "connection_limit", "server", "80 of 97", "Use the agent."}});
  Next();

  EXPECT_TRUE(snapshot.alerts.empty());
}

TEST_F(ServerRulesTest, AdviceCanBeSwitchedOff) {
  settings.alert_advice = false;
  Advise({{"warning", "io_budget", "server", "15 MB per second", "Less."}});
  Next();

  EXPECT_TRUE(snapshot.alerts.empty());
}

TEST_F(ServerRulesTest, VeryMuchAdviceIsCutShort) {
  std::vector<stats::AdviceRow> rows;
  for (int i = 0; i < 1000; ++i) {
    rows.push_back({"warning", "leak", "backend " + std::to_string(i), "leaked", "End it."});
  }
  Advise(std::move(rows));
  Next();

  EXPECT_EQ(snapshot.alerts.size(), 100U);
}

}  // namespace
}  // namespace pgvalet::advice

// Alerts of a real agent: they begin with their cause, end with it, and heed a reload.
#include <gtest/gtest.h>
#include <httplib.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "support/agent_process.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

using nlohmann::json;

struct AlertTest : testing::Test {
  AlertTest() {
    config.SetText("http_listen", "127.0.0.1:" + std::to_string(http_port))
        .Set("snapshot_interval", "0.1")
        .Set("alert_on_after", "0.2")
        .Set("alert_off_after", "0.2")
        .Set("default_pool_size", "2")
        .Set("admin_users", "[\"admin\"]");
  }

  void Start() { agent = std::make_unique<AgentProcess>(config); }

  json Ask(const std::string& path) const {
    httplib::Client client("127.0.0.1", http_port);
    const httplib::Result answer = client.Get(path);
    return answer && answer->status == 200 ? json::parse(answer->body) : json();
  }

  // The alert of this name; null when there is none.
  json Alert(const std::string& name) const {
    const json answer = Ask("/api/monitoring/alerts");
    if (answer.is_null()) return {};
    for (const json& alert : answer["alerts"]) {
      if (alert["name"] == name) return alert;
    }
    return {};
  }
  bool Begins(const std::string& name) const {
    return Eventually([&] { return !Alert(name).is_null(); });
  }
  bool Ends(const std::string& name) const {
    return Eventually([&] { return Alert(name).is_null(); });
  }

  const int http_port = FreePort();
  AgentConfig config;
  std::unique_ptr<AgentProcess> agent;
};

TEST_F(AlertTest, AFullPoolIsAnAlertUntilItsClientsAreDone) {
  Start();
  Connection first(agent->To());
  Connection second(agent->To());
  first.Must("BEGIN");
  second.Must("BEGIN");

  ASSERT_TRUE(Begins("pool_utilization"));
  const json alert = Alert("pool_utilization");
  EXPECT_EQ(alert["component"], "pool app/alice");
  EXPECT_EQ(alert["value"], 100);
  EXPECT_EQ(alert["message"],
            "2 of 2 server connections are in use (100 %), 0 clients are waiting");
  EXPECT_EQ(Ask("/api/monitoring/connection-pools")["pools"][0]["health"], "degraded");

  first.Must("COMMIT");
  second.Must("COMMIT");

  EXPECT_TRUE(Ends("pool_utilization"));
  EXPECT_NE(agent->log().find("alert pool_utilization is over: pool app/alice"), std::string::npos);
}

TEST_F(AlertTest, ClientsThatWaitAreAnAlert) {
  config.Set("alert_waiting_clients", "1");
  Start();
  Connection first(agent->To());
  Connection second(agent->To());
  Connection waiting(agent->To());
  first.Must("BEGIN");
  second.Must("BEGIN");
  waiting.Send("SELECT 1");

  EXPECT_TRUE(Begins("pool_waiters"));
  first.Must("COMMIT");
  EXPECT_EQ(waiting.Collect().value(), "1");
  EXPECT_TRUE(Ends("pool_waiters"));
}

TEST_F(AlertTest, AServerThatCannotBeReachedIsDown) {
  config.Database("dead", "host=127.0.0.1 port=" + std::to_string(FreePort()) + " dbname=app")
      .Set("query_wait_timeout", "1")
      .Set("server_login_retry", "0.2");
  Start();

  ASSERT_TRUE(Eventually([&] {
    EXPECT_FALSE(Connection(agent->To("alice", "dead")).ok());
    return !Alert("server_down").is_null();
  }));
  const json alert = Alert("server_down");
  EXPECT_EQ(alert["severity"], "critical");
  EXPECT_EQ(alert["component"], "database dead");
}

TEST_F(AlertTest, APauseThatIsForgottenIsAnAlertUntilItEnds) {
  config.Set("alert_paused_after", "0.3");
  Start();
  Connection(agent->To()).Must("SELECT 1");
  Connection console(agent->To("admin", "pgbouncer"));
  ASSERT_TRUE(console.Query("PAUSE app").ok());

  ASSERT_TRUE(Begins("paused"));
  EXPECT_EQ(Alert("paused")["component"], "database app");
  ASSERT_TRUE(console.Query("RESUME app").ok());

  EXPECT_TRUE(Ends("paused"));
}

TEST_F(AlertTest, AThresholdIsHeededFromTheNextSnapshotOn) {
  config.Set("alert_off_after", "3600");
  Start();
  Connection client(agent->To());
  Connection other(agent->To());
  client.Must("BEGIN");
  other.Must("BEGIN");
  ASSERT_TRUE(Begins("pool_utilization"));
  Connection console(agent->To("admin", "pgbouncer"));

  ASSERT_TRUE(console.Query("SET alert_utilization_percent = 0").ok());

  EXPECT_TRUE(Ends("pool_utilization"));
}

TEST_F(AlertTest, WhatTheExtensionAdvisesIsAnAlert) {
  if (!TheCluster().has_extension()) GTEST_SKIP() << "this PostgreSQL has no pgvalet";
  config.SetText("sampler_dbname", "app")
      .SetText("sampler_user", "postgres")
      .Set("sampler_interval", "0.1");
  Start();

  // The tests' server has the extension in another database than pgvalet.database names.
  ASSERT_TRUE(Begins("advice_policy_not_in_force"));
  const json alert = Alert("advice_policy_not_in_force");
  EXPECT_EQ(alert["severity"], "critical");
  EXPECT_EQ(alert["component"], "server");
  EXPECT_NE(alert["message"].get<std::string>().find("pgvalet.database"), std::string::npos);
  EXPECT_NE(alert["recommendation"].get<std::string>().find("pgvalet.policy_status"),
            std::string::npos);
  EXPECT_TRUE(Ask("/api/monitoring/system-health")["server"]["extension_available"]);
}

TEST_F(AlertTest, AnExtensionThatCannotBeReadIsAnAlert) {
  config.SetText("sampler_dbname", "postgres")
      .SetText("sampler_user", "postgres")
      .Set("sampler_interval", "0.1");
  Start();

  ASSERT_TRUE(Begins("extension_unreadable"));
  EXPECT_NE(Alert("extension_unreadable")["message"].get<std::string>().find("not installed"),
            std::string::npos);
}

}  // namespace
}  // namespace pgvalet::integration

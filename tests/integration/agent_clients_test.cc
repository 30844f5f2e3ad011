// The extension knows who is behind the agent's connections, because the agent tells it.
#include <gtest/gtest.h>

#include <string>

#include "support/agent_process.h"
#include "support/child_process.h"
#include "support/cluster.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

AgentConfig TellingConfig() {
  AgentConfig config;
  config.SetText("sampler_user", "postgres").SetText("sampler_dbname", "app");
  config.Set("sampler_interval", "0.1").Set("default_pool_size", "2");
  return config;
}

struct AgentClientsTest : testing::Test {
  void SetUp() override {
    if (!TheCluster().has_extension()) GTEST_SKIP() << "this PostgreSQL has no pgvalet";
  }

  // A column of the row of the backend with this pid.
  static std::string Shown(Connection& admin, const std::string& column, const std::string& pid) {
    return admin.Value("SELECT " + column + " FROM pgvalet.backends WHERE pid = " + pid);
  }
};

TEST_F(AgentClientsTest, ClientInATransactionIsShownBehindItsServerConnection) {
  const AgentProcess agent(TellingConfig());
  Connection admin(TheCluster().DirectTo("postgres"));
  Connection client(agent.To() + " application_name=shop");
  client.Must("BEGIN");
  const std::string pid = client.Value("SELECT pg_backend_pid()");

  ASSERT_TRUE(Eventually([&] { return Shown(admin, "agent_application_name", pid) == "shop"; }));

  EXPECT_EQ(Shown(admin, "agent_client_addr", pid), "127.0.0.1");
  EXPECT_EQ(Shown(admin, "agent_client_port > 1024", pid), "t");
  EXPECT_EQ(Shown(admin, "agent_client_port <> client_port", pid), "t");
  EXPECT_EQ(Shown(admin, "leased_since BETWEEN connected_at - interval '1 s' AND now()", pid), "t");
  client.Must("COMMIT");
}

TEST_F(AgentClientsTest, ConnectionThatWasGivenBackHasNoClient) {
  const AgentProcess agent(TellingConfig());
  Connection admin(TheCluster().DirectTo("postgres"));
  Connection client(agent.To() + " application_name=shop");
  client.Must("BEGIN");
  const std::string pid = client.Value("SELECT pg_backend_pid()");
  ASSERT_TRUE(Eventually([&] { return Shown(admin, "leased_since IS NOT NULL", pid) == "t"; }));

  client.Must("COMMIT");

  EXPECT_TRUE(Eventually([&] { return Shown(admin, "leased_since IS NULL", pid) == "t"; }));
  EXPECT_EQ(Shown(admin, "agent_client_addr", pid), "(null)");
}

TEST_F(AgentClientsTest, NextClientOfAServerConnectionTakesThePlaceOfTheFirst) {
  AgentConfig config = TellingConfig();
  config.Set("default_pool_size", "1");
  const AgentProcess agent(config);
  Connection admin(TheCluster().DirectTo("postgres"));
  Connection first(agent.To() + " application_name=first");
  Connection second(agent.To() + " application_name=second");
  first.Must("BEGIN");
  const std::string pid = first.Value("SELECT pg_backend_pid()");
  ASSERT_TRUE(Eventually([&] { return Shown(admin, "agent_application_name", pid) == "first"; }));

  first.Must("COMMIT");
  second.Must("BEGIN");

  EXPECT_EQ(second.Value("SELECT pg_backend_pid()"), pid);
  EXPECT_TRUE(Eventually([&] { return Shown(admin, "agent_application_name", pid) == "second"; }));
  second.Must("COMMIT");
}

TEST_F(AgentClientsTest, ClientsOfOtherAgentsStay) {
  const AgentProcess one(TellingConfig());
  const AgentProcess two(TellingConfig());
  Connection admin(TheCluster().DirectTo("postgres"));
  Connection client(one.To() + " application_name=shop");
  client.Must("BEGIN");
  const std::string pid = client.Value("SELECT pg_backend_pid()");
  Connection neighbour(two.To() + " application_name=neighbour");
  neighbour.Must("BEGIN");
  const std::string other = neighbour.Value("SELECT pg_backend_pid()");

  ASSERT_TRUE(
      Eventually([&] { return Shown(admin, "agent_application_name", other) == "neighbour"; }));
  EXPECT_TRUE(Eventually([&] { return Shown(admin, "agent_application_name", pid) == "shop"; }));
  neighbour.Must("COMMIT");
  EXPECT_TRUE(Eventually([&] { return Shown(admin, "leased_since IS NULL", other) == "t"; }));
  EXPECT_EQ(Shown(admin, "agent_application_name", pid), "shop");
  client.Must("COMMIT");
}

}  // namespace
}  // namespace pgvalet::integration

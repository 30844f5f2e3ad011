// /metrics, /healthz and /readyz of a real agent, and what they say of real clients.
#include <gtest/gtest.h>
#include <signal.h>

#include <sstream>
#include <string>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

struct HttpTest : testing::Test {
  AgentConfig Listening() const {
    AgentConfig config;
    config.SetText("http_listen", "127.0.0.1:" + std::to_string(http_port))
        .Set("snapshot_interval", "0.1")
        .Set("default_pool_size", "1");
    return config;
  }

  std::string Get(const std::string& path) const {
    RawClient http(http_port);
    http.Send("GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n");
    std::string answer;
    while (const std::optional<char> byte = http.ReadByte()) answer += *byte;
    return answer;
  }

  // The value of the first sample whose name and labels begin so and hold that label;
  // -1 without one.
  double Metric(const std::string& name, const std::string& label = "") const {
    std::istringstream lines(Get("/metrics"));
    for (std::string line; std::getline(lines, line);) {
      const bool named = line.rfind(name + "{", 0) == 0 || line.rfind(name + " ", 0) == 0;
      if (named && line.find(label) != std::string::npos)
        return std::stod(line.substr(line.rfind(' ')));
    }
    return -1;
  }

  int http_port = FreePort();
  AgentProcess agent{Listening()};
};

TEST_F(HttpTest, HealthAndReadinessAreAnswered) {
  EXPECT_EQ(Get("/healthz").substr(9, 3), "200");
  EXPECT_TRUE(Eventually([&] { return Get("/readyz").substr(9, 3) == "200"; }));
  EXPECT_EQ(Get("/nowhere").substr(9, 3), "404");
}

TEST_F(HttpTest, DrainingAgentIsNotReadyAndStillHealthy) {
  Connection client(agent.To());
  client.Must("BEGIN");
  ASSERT_TRUE(Eventually([&] { return Get("/readyz").substr(9, 3) == "200"; }));

  agent.Signal(SIGTERM);

  EXPECT_TRUE(Eventually([&] { return Get("/readyz").substr(9, 3) == "503"; }));
  EXPECT_EQ(Get("/healthz").substr(9, 3), "200");
}

TEST_F(HttpTest, CountsTransactionsAndQueriesOfClients) {
  Connection client(agent.To());
  client.Must("BEGIN");
  client.Must("SELECT 1");
  client.Must("COMMIT");
  client.Must("SELECT 2");
  client.Query("SELECT 1/0");

  EXPECT_TRUE(Eventually([&] { return Metric("pgvalet_pool_queries_total") == 5; }));
  EXPECT_EQ(Metric("pgvalet_pool_transactions_total"), 3);
  EXPECT_EQ(Metric("pgvalet_pool_errors_total"), 1);
  EXPECT_EQ(Metric("pgvalet_pool_client_logins_total"), 1);
  EXPECT_EQ(Metric("pgvalet_pool_server_connects_total"), 1);
}

TEST_F(HttpTest, WaitersAreShownAndServedFirstComeFirstServed) {
  Connection(TheCluster().DirectTo("alice"))
      .Must("DROP SEQUENCE IF EXISTS turn; CREATE SEQUENCE turn");
  Connection holder(agent.To()), first(agent.To()), second(agent.To());
  const auto waiting = [&] { return Metric("pgvalet_pool_clients", "\"waiting\""); };
  holder.Must("BEGIN");

  first.Send("SELECT nextval('turn')");
  ASSERT_TRUE(Eventually([&] { return waiting() == 1; }));
  second.Send("SELECT nextval('turn')");
  ASSERT_TRUE(Eventually([&] { return waiting() == 2; }));
  holder.Must("COMMIT");

  EXPECT_EQ(first.Collect().value(), "1");
  EXPECT_EQ(second.Collect().value(), "2");
  EXPECT_TRUE(Eventually([&] { return waiting() == 0; }));
  Connection(TheCluster().DirectTo("alice")).Must("DROP SEQUENCE turn");
}

TEST_F(HttpTest, ExtensionTellsConnectionsOfTheAgentFromDirectOnes) {
  if (!TheCluster().has_extension()) GTEST_SKIP() << "this PostgreSQL has no pgvalet";
  const std::string kind =
      "SELECT connection_kind FROM pgvalet.backends WHERE pid = pg_backend_pid()";

  EXPECT_EQ(Connection(agent.To("monitor")).Value(kind), "agent");
  EXPECT_EQ(Connection(TheCluster().DirectTo("monitor")).Value(kind), "direct");
}

}  // namespace
}  // namespace pgvalet::integration

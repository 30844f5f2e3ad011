// Queries the agent runs on idle server connections of its own accord: server_check_query and
// server_reset_query.
#include <gtest/gtest.h>

#include <string>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

// Counts how often a query of the agent ran: nextval() outlives every rollback.
class Tally {
 public:
  explicit Tally(std::string name) : name_(std::move(name)) {
    Connection(TheCluster().DirectTo("alice")).Must("CREATE SEQUENCE " + name_);
  }
  Tally(const Tally&) = delete;
  ~Tally() { Connection(TheCluster().DirectTo("alice")).Query("DROP SEQUENCE " + name_); }

  std::string Query() const { return "SELECT nextval('" + name_ + "')"; }
  bool HasRun() const {
    return Connection(TheCluster().DirectTo("alice")).Value("SELECT is_called FROM " + name_) ==
           "t";
  }

 private:
  std::string name_;
};

AgentConfig OnePool(const std::string& mode) {
  AgentConfig config;
  config.SetText("pool_mode", mode).Set("default_pool_size", "1");
  return config;
}

TEST(CheckQueryTest, RunsBeforeAServerConnectionIsUsedAfterServerCheckDelay) {
  const Tally checks("server_checks");
  AgentConfig config = OnePool("transaction");
  config.SetText("server_check_query", checks.Query()).Set("server_check_delay", "0.001");
  const AgentProcess agent(config);
  Connection client(agent.To());

  EXPECT_TRUE(Eventually([&] {
    EXPECT_EQ(client.Value("SELECT 'served'"), "served");
    return checks.HasRun();
  }));
}

TEST(CheckQueryTest, ServerConnectionThatFailsItIsReplacedAndNoClientHearsOfIt) {
  AgentConfig config = OnePool("transaction");
  config.SetText("server_check_query", "SELECT 1/0").Set("server_check_delay", "0.001");
  const AgentProcess agent(config);
  Connection client(agent.To());
  const std::string first = client.Value("SELECT pg_backend_pid()");

  EXPECT_TRUE(Eventually([&] {
    const Answer now = client.Query("SELECT pg_backend_pid()");
    EXPECT_TRUE(now.ok()) << now.message;
    return now.value() != first;
  }));
}

TEST(ResetQueryTest, RunsBetweenTwoClientsInSessionMode) {
  const Tally resets("server_resets");
  AgentConfig config = OnePool("session");
  config.SetText("server_reset_query", resets.Query());
  const AgentProcess agent(config);

  Connection(agent.To()).Must("CREATE TEMP TABLE left_behind (a int)");

  EXPECT_TRUE(Eventually([&] { return resets.HasRun(); }));
  // It did not remove the table, so the server connection is not handed on.
  EXPECT_EQ(Connection(agent.To()).Value("SELECT to_regclass('left_behind')"), "(null)");
}

}  // namespace
}  // namespace pgvalet::integration

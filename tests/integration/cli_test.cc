// The command `pgvalet` against a real agent, as a user calls it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/agent_process.h"
#include "support/command.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

using testing::HasSubstr;
using testing::Not;

struct CliTest : testing::Test {
  void StartAgent() {
    grpc = "127.0.0.1:" + std::to_string(FreePort());
    AgentConfig config;
    config.SetText("grpc_listen", grpc).SetText("sampler_user", "postgres");
    config.Set("sampler_interval", "0.1").Set("snapshot_interval", "0.1");
    config.SetText("sampler_dbname", "app");
    agent = std::make_unique<AgentProcess>(config);
  }
  // Until the output has what is looked for: the first snapshots are empty.
  CommandOutcome CallUntil(const std::string& arguments, const std::string& text) const {
    CommandOutcome outcome;
    EXPECT_TRUE(Eventually([&] {
      outcome = CallCommand("--address " + grpc + " " + arguments);
      return outcome.text.find(text) != std::string::npos;
    })) << outcome.text;
    return outcome;
  }

  std::string grpc;
  std::unique_ptr<AgentProcess> agent;
};

TEST_F(CliTest, StatusShowsAgentPoolsAndServer) {
  StartAgent();
  Connection client(agent->To("alice"));
  client.Must("SELECT 1");

  const CommandOutcome outcome = CallUntil("status", "alice");

  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("running, up "));
  EXPECT_THAT(outcome.text, HasSubstr("app "));
  EXPECT_THAT(outcome.text, Not(HasSubstr("\x1b")));
  if (TheCluster().has_extension()) {
    CallUntil("status", "extension pgvalet ");
  }
}

TEST_F(CliTest, StatusIsJsonForPrograms) {
  StartAgent();
  Connection client(agent->To("alice"));
  client.Must("SELECT 1");

  // An earlier snapshot shows the client on its way in.
  const CommandOutcome outcome = CallUntil("status --json", "\"clients_idle\": \"1\"");

  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("\"user\": \"alice\""));
  EXPECT_THAT(outcome.text, HasSubstr("\"clients_waiting\": \"0\""));
  EXPECT_EQ(outcome.text.front(), '{');
}

TEST_F(CliTest, TopPrintsTablesWhereThereIsNoTerminal) {
  StartAgent();
  Connection client(agent->To("alice"));
  client.Must("SELECT 1");
  CallUntil("status", "alice");

  const CommandOutcome outcome =
      CallCommand("--address " + grpc + " top --interval 0.1 --iterations 2");

  EXPECT_EQ(outcome.exit_code, 0);
  const std::size_t first = outcome.text.find("alice");
  ASSERT_NE(first, std::string::npos) << outcome.text;
  EXPECT_NE(outcome.text.find("alice", first + 1), std::string::npos) << outcome.text;
}

TEST_F(CliTest, AnAgentThatIsNotThereIsExitStatus3AndAHint) {
  const std::string nobody = "127.0.0.1:" + std::to_string(FreePort());
  for (const char* command : {"status", "top"}) {
    const CommandOutcome outcome = CallCommand("--address " + nobody + " " + command);

    EXPECT_EQ(outcome.exit_code, 3) << command;
    EXPECT_THAT(outcome.text, HasSubstr("cannot reach an agent at " + nobody));
    EXPECT_THAT(outcome.text, HasSubstr("PGVALET_ADDRESS"));
  }
}

TEST_F(CliTest, WrongUsageIsExitStatus2) {
  EXPECT_EQ(CallCommand("").exit_code, 2);
  EXPECT_EQ(CallCommand("status --nonsense").exit_code, 2);
  EXPECT_EQ(CallCommand("--version").exit_code, 0);
}

}  // namespace
}  // namespace pgvalet::integration

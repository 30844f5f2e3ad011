// `pgvalet loadtest` through a real agent and past it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/command.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

struct LoadTestTest : testing::Test {
  LoadTestTest() {
    AgentConfig config;
    config.SetText("grpc_listen", grpc).Set("snapshot_interval", "0.1");
    config.Set("default_pool_size", "3");
    agent = std::make_unique<AgentProcess>(config);
  }

  std::string Arguments(const std::string& more, const std::string& user = "alice") const {
    return "--address " + grpc + " loadtest --pool '" + agent->To(user) + "' " + more;
  }

  const std::string grpc = "127.0.0.1:" + std::to_string(FreePort());
  std::unique_ptr<AgentProcess> agent;
};

TEST_F(LoadTestTest, WhereTheServerRefusesAPartThePoolServesAll) {
  Connection admin(TheCluster().DirectTo("postgres"));
  admin.Query("CREATE ROLE few CONNECTION LIMIT 5");
  admin.Must("ALTER ROLE few LOGIN");
  const std::string direct = TheCluster().DirectTo("few");

  // Six at any time, each for 0.1 s: directly no more than four get in beside the one that counts.
  const CommandOutcome outcome =
      CallCommand(Arguments("--direct '" + direct +
                                "' -n 60 -d 1 -c 60 --query 'SELECT pg_sleep(0.1)' --json "
                                "--request-timeout 60 --fail-under 100",
                            "few"));
  admin.Must("ALTER ROLE few NOLOGIN");

  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  const json report = json::parse(outcome.text);
  EXPECT_EQ(report["pool"]["requests"], 60);
  EXPECT_EQ(report["pool"]["succeeded"], 60) << outcome.text;
  EXPECT_EQ(report["pool"]["pool_connections"], 3);
  EXPECT_EQ(report["direct"]["requests"], 60);
  EXPECT_GT(report["direct"]["failed"], 0) << outcome.text;
  EXPECT_EQ(report["direct"]["failures"][0]["sqlstate"], "53300");
  EXPECT_GT(report["direct"]["database_connections"], 0);
  EXPECT_THAT(report["outcome"].get<std::string>(), HasSubstr("Through the pool 100 % of 60"));
}

TEST_F(LoadTestTest, ATransactionIsThreeRequestsOnAConnectionThatIsKept) {
  const CommandOutcome outcome =
      CallCommand(Arguments("-n 50 -d 0.2 -c 4 --script transaction --json"));

  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(json::parse(outcome.text)["pool"]["succeeded"], 50);
  json totals;
  ASSERT_TRUE(Eventually([&] {
    totals = json::parse(CallCommand("--address " + grpc + " status --json").text)["totals"];
    return totals["query_count"] == "150";
  })) << totals;
  EXPECT_EQ(totals["transaction_count"], "50");
  EXPECT_LE(std::stoi(totals["client_login_count"].get<std::string>()), 5);
}

TEST_F(LoadTestTest, QueriesThatFailAreCountedByTheirSqlstate) {
  for (const char* script : {"connect", "query", "transaction"}) {
    const CommandOutcome outcome = CallCommand(Arguments(
        std::string("-n 20 -d 0.2 --query 'SELECT 1/0' --fail-under 1 --script ") + script));

    EXPECT_EQ(outcome.exit_code, 1) << script;
    EXPECT_THAT(outcome.text, HasSubstr("pool: 20 x 22012 division by zero")) << script;
  }
}

TEST_F(LoadTestTest, APoolThatIsNotThereIsExitStatus1AndAHint) {
  const std::string uri =
      "postgresql://alice:hidden@127.0.0.1:" + std::to_string(FreePort()) + "/app";

  const CommandOutcome outcome = CallCommand("loadtest --pool " + uri);

  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text, HasSubstr("no connection through the pool: Connection refused"));
  EXPECT_THAT(outcome.text, HasSubstr("pgvalet doctor"));
  EXPECT_THAT(outcome.text, Not(HasSubstr("hidden")));
}

TEST_F(LoadTestTest, WithoutAgentsNumbersTheRunIsMeasuredAllTheSame) {
  const CommandOutcome outcome =
      CallCommand("--address 127.0.0.1:" + std::to_string(FreePort()) + " loadtest --pool '" +
                  agent->To("alice") + "' -n 10 -d 0.1");

  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("Through the pool 100 % of 10 requests succeeded."));
}

TEST_F(LoadTestTest, CtrlCEndsEarlyAndReportsWhatWasMeasured) {
  const std::filesystem::path log = agent->home() / "loadtest.log";
  ChildProcess child({.argv = {CommandLineProgram(), "loadtest", "--pool", agent->To("alice"),
                               "--address", grpc, "-n", "100000", "-d", "1000"},
                      .log = log,
                      .as_server_user = false,
                      .environment = {}});
  // The first login is a try, before anything is measured.
  ASSERT_TRUE(Eventually([&] {
    const std::string text = agent->log();
    std::size_t logins = 0;
    for (std::size_t at = text.find("alice"); at != std::string::npos;
         at = text.find("alice", at + 1))
      ++logins;
    return logins > 20;
  })) << agent->log();

  child.Signal(SIGINT);

  EXPECT_EQ(child.WaitForExit(), 0);
  EXPECT_THAT(ReadFile(log), HasSubstr("Ended early"));
  EXPECT_THAT(ReadFile(log), HasSubstr("succeeded"));
  EXPECT_THAT(ReadFile(log), Not(HasSubstr("\x1b")));
}

TEST_F(LoadTestTest, NonsenseIsWrongUsage) {
  for (const char* nonsense : {"-c 0", "-d 0", "-n 0", "--script all", "--fail-under 101"}) {
    EXPECT_EQ(CallCommand(Arguments(nonsense)).exit_code, 2) << nonsense;
  }
  EXPECT_EQ(CallCommand("loadtest").exit_code, 2);
  EXPECT_THAT(CallCommand("loadtest --pool 'postgresql//a:secret@b'").text,
              Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace pgvalet::integration

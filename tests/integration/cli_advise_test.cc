// `pgvalet advise` measures a real agent under load, or counts without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/command.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

using nlohmann::json;
using testing::HasSubstr;

struct AdviseTest : testing::Test {
  void Start(AgentConfig config = {}) {
    config.SetText("grpc_listen", grpc).Set("snapshot_interval", "0.1");
    config.SetText("sampler_user", "postgres").SetText("sampler_dbname", "app");
    config.Set("sampler_interval", "0.1");
    agent = std::make_unique<AgentProcess>(config);
  }
  CommandOutcome Advise(const std::string& arguments) const {
    return CallCommand("--address " + grpc + " advise " + arguments);
  }

  const std::string grpc = "127.0.0.1:" + std::to_string(FreePort());
  std::unique_ptr<AgentProcess> agent;
};

TEST_F(AdviseTest, APoolUnderLoadGetsASizeWithItsArithmetic) {
  Start();
  std::atomic<bool> stop = false;
  std::atomic<int> done = 0;
  std::thread load([&] {
    Connection client(agent->To("alice"));
    for (; !stop; ++done) client.Query("SELECT pg_sleep(0.02)");
  });
  EXPECT_TRUE(Eventually([&] { return done > 2; }));

  const CommandOutcome text = Advise("--measure 0.5");
  const CommandOutcome numbers = Advise("--measure 0.5 --json");
  stop = true;
  load.join();

  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.text, HasSubstr("busy in the mean (Little's law)"));
  EXPECT_THAT(text.text, HasSubstr("[databases.app]\npool_size = "));
  const json pool = json::parse(numbers.text)["pools"][0];
  EXPECT_EQ(pool["user"], "alice");
  EXPECT_EQ(pool["pool_size"], 20);
  EXPECT_GT(pool["leases_per_s"], 0);
  EXPECT_GE(pool["held_us"], 20'000);
  EXPECT_GE(pool["advised_pool_size"], 1);
}

TEST_F(AdviseTest, ASessionPoolIsNamedAsNotMeasurable) {
  AgentConfig config;
  config.SetText("pool_mode", "session");
  Start(config);
  Connection client(agent->To("alice"));
  client.Must("SELECT 1");

  CommandOutcome outcome;
  EXPECT_TRUE(Eventually([&] {
    outcome = Advise("--measure 0.1");
    return outcome.text.find("app/alice") != std::string::npos;
  }));

  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("session mode cannot be measured"));
}

TEST_F(AdviseTest, AFleetIsCountedWithoutAgentAndWithTheAgentsNumbers) {
  const CommandOutcome alone =
      Advise("--workers 40 --connections-per-worker 10 --max-connections 100");
  const CommandOutcome lost = Advise("--workers 40");

  EXPECT_EQ(alone.exit_code, 0);
  EXPECT_THAT(alone.text, HasSubstr("default_pool_size = 77\nmax_client_conn = 500\n"));
  EXPECT_EQ(lost.exit_code, 3);
  EXPECT_THAT(lost.text, HasSubstr("--max-connections"));
  if (!TheCluster().has_extension()) return;
  Start();
  CommandOutcome asked;
  EXPECT_TRUE(Eventually([&] {
    asked = Advise("--workers 40 --connections-per-worker 10");
    return asked.exit_code == 0;
  })) << asked.text;
  EXPECT_THAT(asked.text, HasSubstr("max_connections 80 - 3 reserved = 77"));
}

TEST_F(AdviseTest, NoAgentAndNonsenseAreTold) {
  EXPECT_EQ(Advise("").exit_code, 3);
  EXPECT_EQ(Advise("--measure 0").exit_code, 2);
  EXPECT_EQ(Advise("--share 100").exit_code, 2);
  EXPECT_EQ(Advise("--workers 0").exit_code, 2);
  EXPECT_EQ(Advise("--pools 2").exit_code, 2);
}

}  // namespace
}  // namespace pgvalet::integration

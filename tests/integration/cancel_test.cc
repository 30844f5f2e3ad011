// Cancel requests: they stop the query of the client that sent them, or nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

struct CancelTest : testing::Test {
  static AgentConfig Pool(int size) {
    AgentConfig config;
    config.Set("default_pool_size", std::to_string(size));
    return config;
  }

  // True once a backend of alice's runs a query with that mark in it.
  bool WaitUntilRuns(const std::string& mark) {
    return Eventually([&] {
      return admin.Value(
                 "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query "
                 "LIKE '%" +
                 mark + "%' AND pid <> pg_backend_pid()") == "1";
    });
  }

  // What a client must present to cancel: its pid and secret, as BackendKeyData said.
  static std::string CancelKey(RawClient& client) { return First(client.Login("alice"), 'K').body; }

  static void SendCancel(int port, const std::string& key) {
    RawClient canceller(port);
    canceller.Send(Int32(static_cast<std::int64_t>(key.size()) + 8) + Int32(kCancelRequestCode) +
                   key);
    canceller.ReadToEnd();
  }

  Connection admin{TheCluster().DirectTo("postgres")};
};

TEST_F(CancelTest, StopsTheRunningQuery) {
  const AgentProcess agent(Pool(2));
  Connection client(agent.To());
  ASSERT_TRUE(client.Send("SELECT pg_sleep(100) /* to be cancelled */"));
  ASSERT_TRUE(WaitUntilRuns("to be cancelled"));

  EXPECT_TRUE(client.Cancel());

  const Answer answer = client.Collect();
  EXPECT_EQ(answer.sqlstate, "57014");
  EXPECT_EQ(answer.message, "canceling statement due to user request");
  EXPECT_EQ(client.Value("SELECT 'goes on'"), "goes on");
}

TEST_F(CancelTest, StopsNoQueryOfAnotherClient) {
  const AgentProcess agent(Pool(2));
  Connection cancelled(agent.To()), spared(agent.To());
  ASSERT_TRUE(spared.Send("SELECT pg_advisory_lock(77), 'spared' /* spared */"));
  EXPECT_EQ(spared.Collect().rows[0][1], "spared");
  ASSERT_TRUE(spared.Send("SELECT pg_sleep(1), 'spared' /* spared */"));
  ASSERT_TRUE(cancelled.Send("SELECT pg_sleep(100) /* to be cancelled */"));
  ASSERT_TRUE(WaitUntilRuns("to be cancelled"));

  cancelled.Cancel();

  EXPECT_EQ(cancelled.Collect().sqlstate, "57014");
  EXPECT_EQ(spared.Collect().rows[0][1], "spared");
}

TEST_F(CancelTest, FromAnIdleClientDoesNotHitWhoeverHasItsBackendNow) {
  const AgentProcess agent(Pool(1));
  Connection idle(agent.To()), busy(agent.To());
  ASSERT_EQ(idle.Value("SELECT 1"), "1");
  ASSERT_TRUE(busy.Send("SELECT pg_sleep(1), 'unharmed' /* unharmed */"));
  ASSERT_TRUE(WaitUntilRuns("unharmed"));

  idle.Cancel();

  EXPECT_EQ(busy.Collect().rows[0][1], "unharmed");
}

TEST_F(CancelTest, WithAWrongSecretDoesNothing) {
  const AgentProcess agent(Pool(1));
  RawClient client(agent.port());
  std::string key = CancelKey(client);
  client.Send(QueryMessage("SELECT pg_sleep(1), 'unharmed' /* wrong secret */"));
  ASSERT_TRUE(WaitUntilRuns("wrong secret"));

  key.back() = static_cast<char>(key.back() ^ 1);
  SendCancel(agent.port(), key);

  EXPECT_EQ(FirstRow(client.ReadUntil('Z')).back(), "unharmed");
}

TEST_F(CancelTest, ReachesAClientThatStillWaitsInTheQueue) {
  const AgentProcess agent(Pool(1));
  Connection holder(agent.To());
  holder.Must("BEGIN");
  Connection waiter(agent.To());
  ASSERT_TRUE(waiter.Send("SELECT 'never runs'"));

  // Sent again and again: nobody outside can tell when the agent has seen the query.
  std::atomic<bool> answered = false;
  std::thread canceller([&] {
    for (; !answered; Nap()) waiter.Cancel();
  });
  const Answer answer = waiter.Collect();
  answered = true;
  canceller.join();

  EXPECT_EQ(answer.sqlstate, "57014") << answer.message;
  EXPECT_EQ(holder.Value("SELECT 'untouched'"), "untouched");
}

TEST_F(CancelTest, EveryClientHasAKeyOfItsOwn) {
  const AgentProcess agent(Pool(1));
  RawClient one(agent.port()), two(agent.port());

  EXPECT_NE(CancelKey(one), CancelKey(two));
}

}  // namespace
}  // namespace pgvalet::integration

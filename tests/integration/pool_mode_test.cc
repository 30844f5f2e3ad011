// Who gets which server connection, and for how long.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

AgentConfig Pool(const std::string& mode, int size) {
  AgentConfig config;
  config.SetText("pool_mode", mode).Set("default_pool_size", std::to_string(size));
  return config;
}

int BackendsOf(const std::string& user) {
  Connection admin(TheCluster().DirectTo("postgres"));
  return std::stoi(admin.Value("SELECT count(*) FROM pg_stat_activity WHERE usename = '" + user +
                               "' AND backend_type = 'client backend'"));
}

// Backends of one database and user that ended tests may still be closing.
void WaitForNoBackendsOf(const std::string& user) {
  ASSERT_TRUE(Eventually([&] { return BackendsOf(user) == 0; }));
}

TEST(TransactionPoolingTest, TwentyClientsAreServedByThreeBackends) {
  const AgentProcess agent(Pool("transaction", 3));
  std::mutex mutex;
  std::set<std::string> backends;
  std::atomic<int> failures = 0;

  std::vector<std::thread> clients;
  for (int i = 0; i < 20; ++i) {
    clients.emplace_back([&] {
      Connection client(agent.To());
      for (int round = 0; round < 20; ++round) {
        if (!client.Query("BEGIN").ok()) ++failures;
        const std::string before = client.Value("SELECT pg_backend_pid()");
        const std::string after = client.Value("SELECT pg_backend_pid()");
        if (before != after || !client.Query("COMMIT").ok()) ++failures;
        const std::lock_guard lock(mutex);
        backends.insert(after);
      }
    });
  }
  for (std::thread& client : clients) client.join();

  EXPECT_EQ(failures, 0);
  EXPECT_LE(backends.size(), 3u);
  EXPECT_LE(BackendsOf("alice"), 3);
}

TEST(TransactionPoolingTest, IdleClientsHoldNoBackend) {
  WaitForNoBackendsOf("bob");
  const AgentProcess agent(Pool("transaction", 2));
  std::vector<std::unique_ptr<Connection>> clients;

  for (int i = 0; i < 30; ++i) {
    clients.push_back(std::make_unique<Connection>(agent.To("bob")));
    ASSERT_EQ(clients.back()->Value("SELECT 1"), "1");
  }

  EXPECT_LE(BackendsOf("bob"), 2);
}

TEST(TransactionPoolingTest, FailedTransactionKeepsItsBackendUntilRollback) {
  const AgentProcess agent(Pool("transaction", 1));
  Connection client(agent.To()), other(agent.To());

  client.Must("BEGIN");
  const std::string backend = client.Value("SELECT pg_backend_pid()");
  EXPECT_EQ(client.Query("SELECT 1/0").sqlstate, "22012");
  EXPECT_EQ(client.Query("SELECT 1").sqlstate, "25P02");
  ASSERT_TRUE(other.Send("SELECT pg_backend_pid()"));
  client.Must("ROLLBACK");

  EXPECT_EQ(other.Collect().value(), backend);
}

TEST(TransactionPoolingTest, UsersAndDatabasesHavePoolsOfTheirOwn) {
  const AgentProcess agent(Pool("transaction", 1));
  Connection alice(agent.To("alice")), bob(agent.To("bob")),
      elsewhere(agent.To("alice", "postgres"));

  alice.Must("BEGIN");

  EXPECT_EQ(bob.Value("SELECT current_user"), "bob");
  EXPECT_EQ(elsewhere.Value("SELECT current_database()"), "postgres");
}

TEST(SessionPoolingTest, ClientKeepsItsBackendUntilItLeaves) {
  const AgentProcess agent(Pool("session", 1));
  auto first = std::make_unique<Connection>(agent.To());
  first->Must("SET work_mem = '7MB'");
  const std::string backend = first->Value("SELECT pg_backend_pid()");
  first->Must("CREATE TEMP TABLE mine AS SELECT 1");
  EXPECT_EQ(first->Value("SELECT pg_backend_pid()"), backend);

  std::string second_backend, work_mem, leftover;
  std::thread second([&] {
    Connection client(agent.To());
    second_backend = client.Value("SELECT pg_backend_pid()");
    work_mem = client.Value("SHOW work_mem");
    leftover = client.Value("SELECT to_regclass('mine')");
  });
  EXPECT_EQ(first->Value("SHOW work_mem"), "7MB");
  first.reset();
  second.join();

  EXPECT_EQ(second_backend, backend);
  EXPECT_EQ(work_mem, "4MB");
  EXPECT_EQ(leftover, "(null)");
}

TEST(StatementPoolingTest, TransactionBlocksAreRefused) {
  const AgentProcess agent(Pool("statement", 1));
  Connection client(agent.To()), other(agent.To());

  EXPECT_EQ(client.Value("SELECT 1"), "1");
  ASSERT_TRUE(client.Send("BEGIN"));
  const Answer answer = client.Collect();

  EXPECT_FALSE(answer.ok());
  EXPECT_NE(answer.message.find("statement"), std::string::npos) << answer.message;
  EXPECT_EQ(other.Value("SELECT 2"), "2");
}

TEST(PoolModeTest, DatabaseAndUserMayHaveAModeOfTheirOwn) {
  AgentConfig config = Pool("transaction", 1);
  config.Database(
      "app", "host=127.0.0.1 port=" + std::to_string(TheCluster().port()) + " pool_mode=session");
  const AgentProcess agent(config);
  Connection client(agent.To());

  client.Must("CREATE TEMP TABLE kept AS SELECT 42 AS answer");

  EXPECT_EQ(client.Value("SELECT answer FROM kept"), "42");
}

TEST(PoolSizeTest, MaxDbConnectionsHoldsForAllUsersTogether) {
  WaitForNoBackendsOf("alice");
  WaitForNoBackendsOf("bob");
  AgentConfig config = Pool("transaction", 5);
  config.Set("max_db_connections", "2");
  const AgentProcess agent(config);
  std::atomic<int> failures = 0;
  std::atomic<bool> done = false;
  int highest = 0;

  std::vector<std::thread> clients;
  for (int i = 0; i < 10; ++i) {
    clients.emplace_back([&, user = std::string(i % 2 == 0 ? "alice" : "bob")] {
      Connection client(agent.To(user));
      for (int round = 0; round < 10; ++round)
        if (client.Value("SELECT pg_sleep(0.002), current_user") != "") ++failures;
    });
  }
  std::thread watch([&] {
    while (!done) highest = std::max(highest, BackendsOf("alice") + BackendsOf("bob"));
  });
  for (std::thread& client : clients) client.join();
  done = true;
  watch.join();

  EXPECT_EQ(failures, 0);
  // The two counts are not read at the same moment: one may have moved on meanwhile.
  EXPECT_LE(highest, 3);
}

TEST(PoolSizeTest, MaxUserConnectionsHoldsForAllDatabasesTogether) {
  AgentConfig config = Pool("transaction", 5);
  config.Set("max_user_connections", "1").Set("query_wait_timeout", "1");
  const AgentProcess agent(config);
  Connection here(agent.To("alice")), elsewhere(agent.To("alice", "postgres")),
      other(agent.To("bob"));
  here.Must("BEGIN");

  const Answer refused = elsewhere.Query("SELECT 1");

  EXPECT_NE(refused.message.find("query_wait_timeout"), std::string::npos) << refused.message;
  EXPECT_EQ(other.Value("SELECT current_user"), "bob");
  here.Must("COMMIT");
  EXPECT_EQ(Connection(agent.To("alice", "postgres")).Value("SELECT current_user"), "alice");
}

TEST(PoolSizeTest, ReserveServesAClientThatHasWaitedReservePoolTimeout) {
  AgentConfig config = Pool("transaction", 1);
  config.Set("reserve_pool_size", "1").Set("reserve_pool_timeout", "0.1");
  const AgentProcess agent(config);
  Connection holder(agent.To()), waiter(agent.To());
  holder.Must("BEGIN");
  const std::string held = holder.Value("SELECT pg_backend_pid()");

  const std::string reserve = waiter.Value("SELECT pg_backend_pid()");

  EXPECT_EQ(reserve.find_first_not_of("0123456789"), std::string::npos) << reserve;
  EXPECT_NE(reserve, held);
}

TEST(PoolSizeTest, MinPoolSizeIsOpenedOnceAClientHasCome) {
  WaitForNoBackendsOf("bob");
  AgentConfig config = Pool("transaction", 5);
  config.Set("min_pool_size", "3");
  const AgentProcess agent(config);

  Connection client(agent.To("bob"));
  client.Must("SELECT 1");

  EXPECT_TRUE(Eventually([] { return BackendsOf("bob") == 3; }));
}

TEST(PoolSizeTest, IdleServerConnectionsAreClosedAfterServerIdleTimeout) {
  WaitForNoBackendsOf("bob");
  AgentConfig config = Pool("transaction", 5);
  config.Set("server_idle_timeout", "1");
  const AgentProcess agent(config);

  Connection client(agent.To("bob"));
  client.Must("SELECT 1");
  ASSERT_EQ(BackendsOf("bob"), 1);

  EXPECT_TRUE(Eventually([] { return BackendsOf("bob") == 0; }));
  EXPECT_EQ(client.Value("SELECT 1"), "1");
}

TEST(PoolSizeTest, OldServerConnectionsAreReplacedAfterServerLifetime) {
  AgentConfig config = Pool("transaction", 1);
  config.Set("server_lifetime", "1");
  const AgentProcess agent(config);
  Connection client(agent.To());

  const std::string first = client.Value("SELECT pg_backend_pid()");

  EXPECT_TRUE(Eventually([&] {
    const std::string now = client.Value("SELECT pg_backend_pid()");
    return now != first && !now.empty() && now.find(' ') == std::string::npos;
  }));
}

}  // namespace
}  // namespace pgvalet::integration

// Timeouts of clients.  Each test waits for the end, however long the agent
// takes, and then asks whether it came for the right reason.
#include <gtest/gtest.h>

#include <string>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

AgentConfig With(const std::string& setting) {
  AgentConfig config;
  config.Set(setting, "1").Set("default_pool_size", "1");
  return config;
}

RawMessage LastWords(RawClient& client) { return First(client.ReadToEnd(), 'E'); }

bool Mentions(const RawMessage& error, const std::string& word) {
  return error.Field('M').find(word) != std::string::npos ||
         error.Field('D').find(word) != std::string::npos ||
         error.Field('H').find(word) != std::string::npos;
}

TEST(TimeoutTest, IdleClientIsEndedByClientIdleTimeout) {
  const AgentProcess agent(With("client_idle_timeout"));
  RawClient client(agent.port());
  client.Login("alice");

  const RawMessage error = LastWords(client);

  EXPECT_EQ(error.Field('S'), "FATAL");
  EXPECT_TRUE(Mentions(error, "client_idle_timeout")) << error.Field('M');
}

TEST(TimeoutTest, OpenTransactionWithoutAQueryIsEndedByIdleTransactionTimeout) {
  const AgentProcess agent(With("idle_transaction_timeout"));
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(QueryMessage("BEGIN"));
  ASSERT_EQ(client.ReadUntil('Z').back().body, "T");

  const RawMessage error = LastWords(client);

  EXPECT_EQ(error.Field('S'), "FATAL");
  EXPECT_TRUE(Mentions(error, "idle_transaction_timeout")) << error.Field('M');
  EXPECT_EQ(Connection(agent.To()).Value("SELECT 'served'"), "served");
}

TEST(TimeoutTest, IdleTransactionTimeoutSparesClientsOutsideTransactions) {
  const AgentProcess agent(With("idle_transaction_timeout"));
  Connection idle(agent.To());
  idle.Must("SELECT 1");
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(QueryMessage("BEGIN"));
  client.ReadToEnd();

  EXPECT_EQ(idle.Value("SELECT 'spared'"), "spared");
}

// In session mode a lease is as old as its client.
TEST(TimeoutTest, TransactionTimeoutSparesAShortTransactionOfAnOldClient) {
  AgentConfig config = With("transaction_timeout");
  config.SetText("pool_mode", "session").Set("default_pool_size", "2");
  const AgentProcess agent(config);
  Connection old(agent.To());
  old.Must("SELECT 1");
  RawClient slow(agent.port());
  slow.Login("alice");
  slow.Send(QueryMessage("BEGIN"));
  slow.ReadToEnd();  // it is ended: the timeout has passed for both

  EXPECT_EQ(old.Value("SELECT 'spared' FROM pg_sleep(0.3)"), "spared");
}

TEST(TimeoutTest, LongQueryIsEndedByQueryTimeout) {
  const AgentProcess agent(With("query_timeout"));
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(QueryMessage("SELECT pg_sleep(1000) /* too long */"));

  const RawMessage error = LastWords(client);

  EXPECT_TRUE(Mentions(error, "query_timeout")) << error.Field('M');
  Connection admin(TheCluster().DirectTo("postgres"));
  EXPECT_TRUE(Eventually([&] {
    return admin.Value(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%too long%' AND "
               "state = 'active' AND pid <> pg_backend_pid()") == "0";
  }));
  EXPECT_EQ(Connection(agent.To()).Value("SELECT 'served'"), "served");
}

TEST(TimeoutTest, LongTransactionIsEndedByTransactionTimeout) {
  const AgentProcess agent(With("transaction_timeout"));
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(QueryMessage("BEGIN"));
  client.ReadUntil('Z');
  client.Send(QueryMessage("SELECT pg_sleep(1000)"));

  const RawMessage error = LastWords(client);

  EXPECT_TRUE(Mentions(error, "transaction_timeout")) << error.Field('M');
  EXPECT_EQ(Connection(agent.To()).Value("SELECT 'served'"), "served");
}

TEST(TimeoutTest, UserMayHaveATimeoutOfItsOwn) {
  AgentConfig config;
  config.User("bob", "{ client_idle_timeout = 1 }");
  const AgentProcess agent(config);
  Connection alice(agent.To());
  RawClient bob(agent.port());
  bob.Login("bob");

  const RawMessage error = LastWords(bob);

  EXPECT_TRUE(Mentions(error, "client_idle_timeout")) << error.Field('M');
  EXPECT_EQ(alice.Value("SELECT 'spared'"), "spared");
}

}  // namespace
}  // namespace pgvalet::integration

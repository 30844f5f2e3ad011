// Limits: how many, how long, how much memory.
#include <gtest/gtest.h>

#include <string>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

TEST(LimitTest, ClientBeyondMaxClientConnIsRefusedWith53300) {
  AgentConfig config;
  config.Set("max_client_conn", "2");
  const AgentProcess agent(config);
  auto first = std::make_unique<Connection>(agent.To());
  const Connection second(agent.To());
  ASSERT_TRUE(first->ok() && second.ok()) << first->error() << second.error();

  RawClient third(agent.port());
  third.Send(StartupPacket({"user", "alice", "database", "app"}));
  const RawMessage error = First(third.ReadToEnd(), 'E');

  EXPECT_EQ(error.Field('S'), "FATAL");
  EXPECT_EQ(error.Field('C'), "53300") << error.Field('M');
  first.reset();
  EXPECT_TRUE(Eventually([&] { return Connection(agent.To()).ok(); }));
}

TEST(LimitTest, ClientThatWaitsTooLongIsToldWhichSettingEndedIt) {
  AgentConfig config;
  config.Set("default_pool_size", "1").Set("query_wait_timeout", "1");
  const AgentProcess agent(config);
  Connection holder(agent.To());
  holder.Must("BEGIN");

  RawClient waiter(agent.port());
  waiter.Login("alice");
  waiter.Send(QueryMessage("SELECT 1"));
  const RawMessage error = First(waiter.ReadToEnd(), 'E');

  EXPECT_NE(error.Field('M').find("query_wait_timeout"), std::string::npos) << error.Field('M');
  EXPECT_EQ(error.Field('C').size(), 5u);
  EXPECT_EQ(holder.Value("SELECT 'unharmed'"), "unharmed");
}

struct MemoryTest : testing::Test {
  // Beyond what the agent had when idle.  Sanitizers keep freed memory for a while.
  static constexpr std::size_t kAllowed = 24u << 20;

  static AgentConfig Pool() {
    AgentConfig config;
    config.Set("default_pool_size", "2");
    return config;
  }

  void ExpectLittleMemory() const {
    if (PGVALET_SANITIZED) return;
    EXPECT_LT(agent.PeakMemory(), before + kAllowed);
  }

  AgentProcess agent{Pool()};
  std::size_t before = (Connection(agent.To()).Must("SELECT 1"), agent.PeakMemory());
};

TEST_F(MemoryTest, SlowReaderHoldsUpItsServerInsteadOfFillingTheAgent) {
  RawClient slow(agent.port());
  slow.Login("alice");
  slow.Send(QueryMessage("SELECT repeat('x', 1000) FROM generate_series(1, 200000) /* slow */"));

  // The backend cannot get rid of its rows: the back pressure has reached it.
  Connection admin(TheCluster().DirectTo("postgres"));
  EXPECT_TRUE(Eventually([&] {
    return admin.Value(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%/* slow */%' AND "
               "wait_event = 'ClientWrite' AND pid <> pg_backend_pid()") == "1";
  }));
  EXPECT_EQ(Connection(agent.To()).Value("SELECT 'served'"), "served");
  ExpectLittleMemory();

  EXPECT_EQ(slow.ReadUntil('Z').size(), 200003u);
}

TEST_F(MemoryTest, LargeResultIsStreamed) {
  Connection client(agent.To());

  const std::string value = client.Value("SELECT repeat('y', 64 << 20)");

  EXPECT_EQ(value.size(), 64u << 20);
  ExpectLittleMemory();
}

TEST_F(MemoryTest, LargeParameterIsStreamed) {
  Connection client(agent.To());

  const Answer answer = client.QueryParams("SELECT length($1)", {std::string(64u << 20, 'z')});

  EXPECT_EQ(answer.value(), std::to_string(64 << 20));
  ExpectLittleMemory();
}

TEST_F(MemoryTest, LargeSimpleQueryIsStreamed) {
  Connection client(agent.To());

  const Answer answer = client.Query("SELECT length('" + std::string(64u << 20, 'q') + "')");

  EXPECT_EQ(answer.value(), std::to_string(64 << 20));
  ExpectLittleMemory();
}

TEST_F(MemoryTest, ClientThatNeverReadsWhileItSendsIsBounded) {
  RawClient client(agent.port());
  client.Login("alice");
  std::string many;
  for (int i = 0; i < 1000; ++i)
    many +=
        ParseMessage("", "SELECT repeat('x', 100000)") + BindMessage("", "") + ExecuteMessage("");

  client.Send(many + SyncMessage());
  // Answers are due to somebody who reads late.
  EXPECT_EQ(Connection(agent.To()).Value("SELECT 'served'"), "served");
  EXPECT_EQ(client.ReadUntil('Z').size(), 4001u);

  ExpectLittleMemory();
}

}  // namespace
}  // namespace pgvalet::integration

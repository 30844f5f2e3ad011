// What happens when a client, a backend or the whole server goes away.
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

struct FailureTest : testing::Test {
  static AgentConfig Pool(int size) {
    AgentConfig config;
    config.Set("default_pool_size", std::to_string(size)).Set("server_login_retry", "1");
    return config;
  }
  static bool GoneFromServer(const std::string& pid) {
    Connection admin(TheCluster().DirectTo("postgres"));
    return admin.Value("SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid) == "0";
  }
  static void Terminate(const std::string& pid) {
    Connection admin(TheCluster().DirectTo("postgres"));
    admin.Must("SELECT pg_terminate_backend(" + pid + ")");
  }
};

class EveryWayToVanish : public FailureTest, public testing::WithParamInterface<bool> {};

TEST_P(EveryWayToVanish, InsideATransactionCostsTheServerConnectionAndKeepsNoLock) {
  const AgentProcess agent(Pool(1));
  Connection admin(TheCluster().DirectTo("alice"));
  admin.Must("DROP TABLE IF EXISTS locked; CREATE TABLE locked (n int)");
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(QueryMessage("BEGIN; LOCK TABLE locked; INSERT INTO locked VALUES (1)"));
  ASSERT_EQ(client.ReadUntil('Z').back().body, "T");
  client.Send(QueryMessage("SELECT pg_backend_pid()"));
  const std::string backend = FirstRow(client.ReadUntil('Z'))[0];

  client.Drop(/*reset=*/GetParam());

  Connection next(agent.To());
  EXPECT_NE(next.Value("SELECT pg_backend_pid()"), backend);
  EXPECT_EQ(next.Value("SELECT count(*) FROM locked"), "0");
  EXPECT_TRUE(Eventually([&] { return GoneFromServer(backend); }));
  admin.Must("DROP TABLE locked");
}

INSTANTIATE_TEST_SUITE_P(ClientThatVanishes, EveryWayToVanish, testing::Bool(),
                         [](const auto& test) { return test.param ? "ByReset" : "ByClose"; });

TEST_F(FailureTest, ClientThatVanishesDuringAQueryDoesNotBlockThePool) {
  const AgentProcess agent(Pool(1));
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(QueryMessage("SELECT pg_sleep(1000) /* abandoned */"));
  Connection admin(TheCluster().DirectTo("postgres"));
  const std::string running =
      "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%abandoned%' "
      "AND state = 'active' AND pid <> pg_backend_pid()";
  ASSERT_TRUE(Eventually([&] { return admin.Value(running) == "1"; }));

  client.Drop();

  // The slot is free at once, whatever becomes of the query.
  EXPECT_EQ(Connection(agent.To()).Value("SELECT 'served'"), "served");
  admin.Must(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      "WHERE query LIKE '%abandoned%' AND pid <> pg_backend_pid()");
}

TEST_F(FailureTest, ClientThatSendsTerminateInsideATransactionIsRolledBack) {
  const AgentProcess agent(Pool(1));
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(QueryMessage("BEGIN") + TerminateMessage());
  client.ReadToEnd();

  RawClient next(agent.port());
  next.Login("alice");
  next.Send(QueryMessage("SELECT 1"));

  EXPECT_EQ(next.ReadUntil('Z').back().body, "I");
}

TEST_F(FailureTest, BackendThatIsTerminatedDuringAQueryTellsItsClientWhy) {
  const AgentProcess agent(Pool(1));
  Connection client(agent.To());
  const std::string backend = client.Value("SELECT pg_backend_pid()");
  ASSERT_TRUE(client.Send("SELECT pg_sleep(100)"));

  Terminate(backend);
  const Answer answer = client.Collect();

  EXPECT_EQ(answer.sqlstate, "57P01");
  EXPECT_EQ(Connection(agent.To()).Value("SELECT 'served'"), "served");
}

TEST_F(FailureTest, BackendThatIsTerminatedInsideATransactionEndsOnlyThatSession) {
  const AgentProcess agent(Pool(2));
  Connection client(agent.To()), other(agent.To());
  client.Must("BEGIN");
  const std::string backend = client.Value("SELECT pg_backend_pid()");
  other.Must("BEGIN");

  Terminate(backend);
  const Answer answer = client.Query("SELECT 1");

  EXPECT_FALSE(answer.ok());
  EXPECT_NE(answer.sqlstate, "") << answer.message;
  EXPECT_EQ(other.Value("SELECT 'unharmed'"), "unharmed");
}

TEST_F(FailureTest, BackendThatIsTerminatedWhileIdleIsNoticedBeforeTheNextQuery) {
  const AgentProcess agent(Pool(1));
  Connection client(agent.To());
  const std::string backend = client.Value("SELECT pg_backend_pid()");

  Terminate(backend);
  ASSERT_TRUE(Eventually([&] { return GoneFromServer(backend); }));

  // The end of the TCP stream may still be on its way when the backend is gone.
  EXPECT_TRUE(Eventually([&] {
    const std::string now = Connection(agent.To()).Value("SELECT pg_backend_pid()");
    return now != backend && now.find(' ') == std::string::npos;
  }));
  EXPECT_NE(client.Value("SELECT pg_backend_pid()"), backend);
}

TEST_F(FailureTest, ServerRestartIsSurvivedByIdleClients) {
  const AgentProcess agent(Pool(2));
  Connection client(agent.To());
  ASSERT_TRUE(client.Prepare("before", "SELECT 'prepared before'").ok());
  ASSERT_EQ(client.ExecutePrepared("before").value(), "prepared before");

  TheCluster().Restart();

  EXPECT_TRUE(Eventually([&] { return Connection(agent.To()).Value("SELECT 1") == "1"; }));
  EXPECT_EQ(client.ExecutePrepared("before").value(), "prepared before");
}

TEST_F(FailureTest, CrashOfTheServerIsSurvived) {
  // A backend that is killed makes the server end all others and start over.
  const AgentProcess agent(Pool(2));
  Connection victim(agent.To()), bystander(agent.To());
  victim.Must("BEGIN");  // keeps its backend
  const std::string backend = victim.Value("SELECT pg_backend_pid()");
  bystander.Must("BEGIN");
  ASSERT_TRUE(victim.Send("SELECT pg_sleep(100)"));

  kill(static_cast<pid_t>(std::stoi(backend)), SIGKILL);

  EXPECT_FALSE(victim.Collect().ok());
  EXPECT_TRUE(Eventually([&] { return !bystander.Query("SELECT 1").ok(); }));
  EXPECT_TRUE(Eventually([&] { return Connection(agent.To()).Value("SELECT 1") == "1"; }));
}

TEST_F(FailureTest, ServerThatIsDownAtStartIsReportedAndUsedOnceItIsUp) {
  AgentConfig config = Pool(2);
  config.Set("query_wait_timeout", "1");
  TheCluster().Stop();
  const AgentProcess agent(config);
  RawClient early(agent.port());
  early.Send(StartupPacket({"user", "alice", "database", "app"}));

  const RawMessage error = First(early.ReadToEnd(), 'E');
  TheCluster().Start();

  EXPECT_EQ(error.Field('S'), "FATAL");
  EXPECT_EQ(error.Field('C').substr(0, 2), "08") << error.Field('C') << " " << error.Field('M');
  EXPECT_TRUE(Eventually([&] { return Connection(agent.To()).Value("SELECT 1") == "1"; }));
}

TEST_F(FailureTest, ServerWithNoConnectionsLeftIsReportedWithItsOwnWords) {
  // A role with a limit of its own fills up sooner than the server.
  Connection admin(TheCluster().DirectTo("postgres"));
  admin.Must("ALTER ROLE bob CONNECTION LIMIT 0");
  AgentConfig config = Pool(1);
  config.Set("query_wait_timeout", "1");
  const AgentProcess agent(config);

  RawClient client(agent.port());
  client.Send(StartupPacket({"user", "bob", "database", "app"}));
  const RawMessage error = First(client.ReadToEnd(), 'E');
  admin.Must("ALTER ROLE bob CONNECTION LIMIT -1");

  EXPECT_EQ(error.Field('C'), "53300") << error.Field('M');
  EXPECT_EQ(Connection(agent.To("alice")).Value("SELECT 1"), "1");
}

}  // namespace
}  // namespace pgvalet::integration

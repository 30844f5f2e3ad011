// Prepared statements in transaction pooling: names belong to the client, not to
// whichever backend serves it.  What a direct connection does is what is expected.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

AgentConfig Pool(int size) {
  AgentConfig config;
  config.Set("default_pool_size", std::to_string(size));
  return config;
}

// Makes `client` be served by another backend than `pid` from a pool of two.
std::unique_ptr<Connection> OccupyBackend(const AgentProcess& agent, const std::string& pid) {
  auto first = std::make_unique<Connection>(agent.To());
  auto second = std::make_unique<Connection>(agent.To());
  first->Must("BEGIN");
  if (first->Value("SELECT pg_backend_pid()") == pid) return first;
  second->Must("BEGIN");
  EXPECT_EQ(second->Value("SELECT pg_backend_pid()"), pid);
  return second;
}

TEST(PreparedStatementTest, NamedOneFollowsItsClientToAnotherBackend) {
  const AgentProcess agent(Pool(2));
  Connection client(agent.To());
  ASSERT_TRUE(client.Prepare("where_am_i", "SELECT pg_backend_pid(), $1::text").ok());
  const std::string first = client.ExecutePrepared("where_am_i", {"a"}).value();

  const std::unique_ptr<Connection> occupier = OccupyBackend(agent, first);
  const Answer moved = client.ExecutePrepared("where_am_i", {"b"});

  ASSERT_TRUE(moved.ok()) << moved.message;
  EXPECT_NE(moved.value(), first);
  EXPECT_EQ(moved.rows[0][1], "b");
}

TEST(PreparedStatementTest, SameNameMeansEachClientsOwnText) {
  const AgentProcess agent(Pool(1));
  Connection one(agent.To()), two(agent.To());
  ASSERT_TRUE(one.Prepare("s", "SELECT 'one'").ok());
  ASSERT_TRUE(two.Prepare("s", "SELECT 'two'").ok());

  EXPECT_EQ(one.ExecutePrepared("s").value(), "one");
  EXPECT_EQ(two.ExecutePrepared("s").value(), "two");
  EXPECT_EQ(one.ExecutePrepared("s").value(), "one");
}

TEST(PreparedStatementTest, SameTextOfManyClientsIsOneStatementOnTheServer) {
  const AgentProcess agent(Pool(1));
  std::vector<std::unique_ptr<Connection>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<Connection>(agent.To()));
    ASSERT_TRUE(clients.back()->Prepare("name" + std::to_string(i), "SELECT 'shared'").ok());
    ASSERT_EQ(clients.back()->ExecutePrepared("name" + std::to_string(i)).value(), "shared");
  }

  EXPECT_EQ(clients[0]->Value("SELECT count(*) FROM pg_prepared_statements "
                              "WHERE statement = 'SELECT ''shared'''"),
            "1");
}

TEST(PreparedStatementTest, NameInUseIsRefusedAsByTheServer) {
  const AgentProcess agent(Pool(1));
  Connection pooled(agent.To()), direct(TheCluster().DirectTo("alice"));

  for (Connection* client : {&pooled, &direct}) {
    ASSERT_TRUE(client->Prepare("twice", "SELECT 1").ok());
    const Answer again = client->Prepare("twice", "SELECT 2");
    EXPECT_EQ(again.sqlstate, "42P05");
    EXPECT_EQ(again.message, "prepared statement \"twice\" already exists");
    EXPECT_EQ(client->ExecutePrepared("twice").value(), "1");
  }
}

TEST(PreparedStatementTest, UnknownNameIsRefusedAsByTheServer) {
  const AgentProcess agent(Pool(1));
  Connection pooled(agent.To()), direct(TheCluster().DirectTo("alice"));

  for (Connection* client : {&pooled, &direct}) {
    const Answer answer = client->ExecutePrepared("missing");
    EXPECT_EQ(answer.sqlstate, "26000");
    EXPECT_EQ(answer.message, "prepared statement \"missing\" does not exist");
    EXPECT_EQ(client->Value("SELECT 1"), "1");
  }
}

TEST(PreparedStatementTest, TextThatDoesNotParseLeavesTheNameFree) {
  const AgentProcess agent(Pool(1));
  Connection client(agent.To());

  EXPECT_EQ(client.Prepare("s", "SELECT * FROM no_such_table").sqlstate, "42P01");
  EXPECT_EQ(client.ExecutePrepared("s").sqlstate, "26000");
  EXPECT_TRUE(client.Prepare("s", "SELECT 'good'").ok());
  EXPECT_EQ(client.ExecutePrepared("s").value(), "good");
}

TEST(PreparedStatementTest, ErrorInsideATransactionDoesNotConfuseLaterUse) {
  const AgentProcess agent(Pool(1));
  Connection client(agent.To());
  client.Must("BEGIN");
  ASSERT_TRUE(client.Prepare("divide", "SELECT 1 / $1::int").ok());
  EXPECT_EQ(client.ExecutePrepared("divide", {"0"}).sqlstate, "22012");
  EXPECT_EQ(client.Prepare("other", "SELECT 1").sqlstate, "25P02");
  client.Must("ROLLBACK");

  EXPECT_EQ(client.ExecutePrepared("divide", {"1"}).value(), "1");
  EXPECT_EQ(client.ExecutePrepared("other").sqlstate, "26000");
}

class ForgetsAll : public testing::TestWithParam<std::string> {};

TEST_P(ForgetsAll, OfThisClientAndOfNoOther) {
  const AgentProcess agent(Pool(1));
  Connection client(agent.To()), other(agent.To());
  ASSERT_TRUE(client.Prepare("s", "SELECT 'mine'").ok());
  ASSERT_TRUE(other.Prepare("s", "SELECT 'other'").ok());
  ASSERT_EQ(other.ExecutePrepared("s").value(), "other");

  client.Must(GetParam());

  EXPECT_EQ(client.ExecutePrepared("s").sqlstate, "26000");
  EXPECT_EQ(other.ExecutePrepared("s").value(), "other");
  EXPECT_TRUE(client.Prepare("s", "SELECT 'again'").ok());
  EXPECT_EQ(client.ExecutePrepared("s").value(), "again");
  EXPECT_EQ(other.ExecutePrepared("s").value(), "other");
}

INSTANTIATE_TEST_SUITE_P(PreparedStatementTest, ForgetsAll,
                         testing::Values("DEALLOCATE ALL", "DISCARD ALL", "deallocate prepare all"),
                         [](const auto& test) { return "Way" + std::to_string(test.index); });

TEST(PreparedStatementTest, MoreThanTheLimitAreStillServed) {
  AgentConfig config = Pool(1);
  config.Set("max_prepared_statements", "3");
  const AgentProcess agent(config);
  Connection client(agent.To());
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(
        client.Prepare("s" + std::to_string(i), "SELECT 'text " + std::to_string(i) + "'").ok());
  }

  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 10; ++i)
      EXPECT_EQ(client.ExecutePrepared("s" + std::to_string(i)).value(),
                "text " + std::to_string(i));
  EXPECT_LE(std::stoi(client.Value("SELECT count(*) FROM pg_prepared_statements")), 3);
}

TEST(PreparedStatementTest, DescribeTellsParametersAndColumns) {
  const AgentProcess agent(Pool(1));
  Connection client(agent.To());
  ASSERT_TRUE(client.Prepare("s", "SELECT $1::int AS a, $2::text AS b").ok());

  PGresult* result = PQdescribePrepared(client.raw(), "s");

  EXPECT_EQ(PQnparams(result), 2);
  EXPECT_EQ(PQparamtype(result, 0), 23u);
  EXPECT_EQ(PQnfields(result), 2);
  EXPECT_STREQ(PQfname(result, 1), "b");
  PQclear(result);
}

TEST(PreparedStatementTest, SqlPrepareWorksInsideOneTransaction) {
  const AgentProcess agent(Pool(1));
  Connection client(agent.To());

  client.Must("BEGIN; PREPARE sql_level AS SELECT 5");
  EXPECT_EQ(client.Value("EXECUTE sql_level"), "5");
  client.Must("DEALLOCATE sql_level; COMMIT");
}

TEST(UnnamedStatementTest, OutlivesItsSync) {
  const AgentProcess agent(Pool(1));
  RawClient client(agent.port());
  client.Login("alice");
  Connection other(agent.To());

  client.Send(ParseMessage("", "SELECT 'unnamed ' || $1::text") + SyncMessage());
  EXPECT_EQ(Types(client.ReadUntil('Z')), "1Z");
  EXPECT_EQ(other.QueryParams("SELECT $1::text", {"between"}).value(), "between");
  client.Send(BindMessage("", "", {"x"}) + ExecuteMessage("") + SyncMessage());
  const std::vector<RawMessage> answer = client.ReadUntil('Z');

  EXPECT_EQ(Types(answer), "2DCZ") << First(answer, 'E').Field('M');
  EXPECT_EQ(FirstRow(answer), std::vector<std::string>{"unnamed x"});
}

TEST(UnnamedStatementTest, OfOneClientIsNeverRunForAnother) {
  const AgentProcess agent(Pool(1));
  RawClient one(agent.port()), two(agent.port());
  one.Login("alice");
  two.Login("alice");

  one.Send(ParseMessage("", "SELECT 'one'") + SyncMessage());
  one.ReadUntil('Z');
  two.Send(ParseMessage("", "SELECT 'two'") + SyncMessage());
  two.ReadUntil('Z');
  one.Send(BindMessage("", "") + ExecuteMessage("") + SyncMessage());
  two.Send(BindMessage("", "") + ExecuteMessage("") + SyncMessage());

  EXPECT_EQ(FirstRow(one.ReadUntil('Z')), std::vector<std::string>{"one"});
  EXPECT_EQ(FirstRow(two.ReadUntil('Z')), std::vector<std::string>{"two"});
}

TEST(UnnamedStatementTest, IsGoneAfterASimpleQueryAsOnTheServer) {
  const AgentProcess agent(Pool(1));
  RawClient pooled(agent.port()), direct(TheCluster().port());
  for (RawClient* client : {&pooled, &direct}) {
    client->Login("alice");
    client->Send(ParseMessage("", "SELECT 1") + SyncMessage());
    client->ReadUntil('Z');
    client->Send(QueryMessage("SELECT 2"));
    client->ReadUntil('Z');

    client->Send(BindMessage("", "") + ExecuteMessage("") + SyncMessage());
    EXPECT_EQ(First(client->ReadUntil('Z'), 'E').Field('C'), "26000");
  }
}

TEST(ClosedStatementTest, CanNotBeUsedAndItsNameIsFree) {
  const AgentProcess agent(Pool(1));
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(ParseMessage("s", "SELECT 'old'") + SyncMessage());
  client.ReadUntil('Z');

  client.Send(CloseMessage('S', "s") + SyncMessage());
  EXPECT_EQ(Types(client.ReadUntil('Z')), "3Z");
  client.Send(BindMessage("", "s") + ExecuteMessage("") + SyncMessage());
  EXPECT_EQ(First(client.ReadUntil('Z'), 'E').Field('C'), "26000");
  client.Send(ParseMessage("s", "SELECT 'new'") + BindMessage("", "s") + ExecuteMessage("") +
              SyncMessage());

  EXPECT_EQ(FirstRow(client.ReadUntil('Z')), std::vector<std::string>{"new"});
}

TEST(ClosedStatementTest, UnknownOneIsClosedWithoutError) {
  const AgentProcess agent(Pool(1));
  RawClient client(agent.port());
  client.Login("alice");

  client.Send(CloseMessage('S', "never_was") + CloseMessage('P', "neither") + SyncMessage());

  EXPECT_EQ(Types(client.ReadUntil('Z')), "33Z");
}

TEST(ClosedStatementTest, DeallocateThatTheServerSkipsLeavesIt) {
  const AgentProcess agent(Pool(2));
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(ParseMessage("s", "SELECT 'still here'") + SyncMessage());
  client.ReadUntil('Z');
  const auto run = [](const std::string& sql) {
    return ParseMessage("", sql) + BindMessage("", "") + ExecuteMessage("");
  };

  client.Send(run("SELECT 1/0") + run("DEALLOCATE s") + SyncMessage());
  EXPECT_EQ(First(client.ReadUntil('Z'), 'E').Field('C'), "22012");

  client.Send(BindMessage("", "s") + ExecuteMessage("") + SyncMessage());
  EXPECT_EQ(FirstRow(client.ReadUntil('Z')), std::vector<std::string>{"still here"});
  client.Send(run("DEALLOCATE s") + SyncMessage());
  client.ReadUntil('Z');
  client.Send(BindMessage("", "s") + ExecuteMessage("") + SyncMessage());
  EXPECT_EQ(First(client.ReadUntil('Z'), 'E').Field('C'), "26000");
}

TEST(ClosedStatementTest, DeallocateThatAFailedTransactionRefusesLeavesIt) {
  const AgentProcess agent(Pool(1));
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(ParseMessage("s", "SELECT 'still here'") + SyncMessage());
  client.ReadUntil('Z');

  client.Send(QueryMessage("BEGIN") + QueryMessage("SELECT 1/0") + QueryMessage("DEALLOCATE s") +
              QueryMessage("ROLLBACK"));
  for (const char* sqlstate : {"", "22012", "25P02", ""}) {
    const std::vector<RawMessage> answer = client.ReadUntil('Z');
    if (*sqlstate != '\0') {
      EXPECT_EQ(First(answer, 'E').Field('C'), sqlstate);
    }
  }

  client.Send(BindMessage("", "s") + ExecuteMessage("") + SyncMessage());
  EXPECT_EQ(FirstRow(client.ReadUntil('Z')), std::vector<std::string>{"still here"});
}

TEST(ClosedStatementTest, DeallocateBehindTheRollbackOfAFailedTransactionWorks) {
  const AgentProcess agent(Pool(1));
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(ParseMessage("s", "SELECT 1") + SyncMessage() + QueryMessage("BEGIN; SELECT 1/0"));
  client.ReadUntil('Z');
  client.ReadUntil('Z');
  const auto run = [](const std::string& sql) {
    return ParseMessage("", sql) + BindMessage("", "") + ExecuteMessage("") + SyncMessage();
  };

  client.Send(run("ROLLBACK") + run("DEALLOCATE s"));
  client.ReadUntil('Z');

  EXPECT_EQ(First(client.ReadUntil('Z'), 'C').body, std::string("DEALLOCATE", 11));
}

TEST(ClosedStatementTest, DeallocateThatIsParsedOnOneConnectionAndExecutedOnAnotherWorks) {
  AgentConfig config = Pool(2);
  config.Set("server_round_robin", "true");
  const AgentProcess agent(config);
  Connection other(agent.To());
  other.Must("SELECT 1");
  RawClient client(agent.port());
  client.Login("alice");
  for (int turn = 0; turn < 4; ++turn) {
    client.Send(ParseMessage("s", "SELECT 1") + SyncMessage());
    client.ReadUntil('Z');
    client.Send(ParseMessage("", "DEALLOCATE s") + SyncMessage());
    client.ReadUntil('Z');
    other.Must("SELECT 1");

    client.Send(BindMessage("", "") + ExecuteMessage("") + SyncMessage());
    EXPECT_EQ(First(client.ReadUntil('Z'), 'C').body, std::string("DEALLOCATE", 11)) << turn;
  }
}

// What comes behind it is held back until its answer tells that the names are gone; the client's
// own Sync comes behind it too.
TEST(ClosedStatementTest, NamesBehindADeallocateAllInOnePipelineAreNew) {
  const AgentProcess agent(Pool(2));
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(ParseMessage("s", "SELECT 'old'") + SyncMessage());
  client.ReadUntil('Z');

  client.Send(ParseMessage("", "DEALLOCATE ALL") + BindMessage("", "") + ExecuteMessage("") +
              ParseMessage("s", "SELECT 'new'") + BindMessage("", "s") + ExecuteMessage("") +
              SyncMessage());
  EXPECT_EQ(FirstRow(client.ReadUntil('Z')), std::vector<std::string>{"new"});

  client.Send(ParseMessage("", "DEALLOCATE ALL") + BindMessage("", "") + ExecuteMessage("") +
              BindMessage("", "s") + ExecuteMessage("") + SyncMessage());
  EXPECT_EQ(First(client.ReadUntil('Z'), 'E').Field('C'), "26000");
}

TEST(ClosedStatementTest, DeallocateAllInATransactionLeavesWhatIsPreparedBehindIt) {
  const AgentProcess agent(Pool(1));
  Connection client(agent.To());
  client.Must("BEGIN");
  client.Must("DEALLOCATE ALL");
  EXPECT_TRUE(client.Prepare("s", "SELECT 'there'").ok());
  client.Must("COMMIT");

  EXPECT_EQ(client.ExecutePrepared("s").value(), "there");
}

TEST(ClosedStatementTest, DeallocateBehindACloseThatTheServerSkipsWorks) {
  const AgentProcess agent(Pool(1));
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(ParseMessage("s", "SELECT 1") + SyncMessage());
  client.ReadUntil('Z');
  const auto run = [](const std::string& sql) {
    return ParseMessage("", sql) + BindMessage("", "") + ExecuteMessage("");
  };

  client.Send(run("SELECT 1/0") + CloseMessage('S', "s") + SyncMessage() + run("DEALLOCATE s") +
              SyncMessage());
  client.ReadUntil('Z');

  EXPECT_EQ(First(client.ReadUntil('Z'), 'C').body, std::string("DEALLOCATE", 11));
}

// The transaction fails behind the one whose ReadyForQuery has come last.
TEST(PreparedStatementTest, ParseBehindAFailureThatIsNotAnsweredYetIsRefused) {
  const AgentProcess agent(Pool(1));
  Connection other(agent.To());
  EXPECT_TRUE(other.Prepare("s", "SELECT 1").ok());
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(QueryMessage("BEGIN"));
  client.ReadUntil('Z');

  client.Send(ParseMessage("", "SELECT 1/0") + BindMessage("", "") + ExecuteMessage("") +
              SyncMessage() + ParseMessage("t", "SELECT 1") + SyncMessage());
  client.ReadUntil('Z');

  EXPECT_EQ(First(client.ReadUntil('Z'), 'E').Field('C'), "25P02");
}

TEST(PreparedStatementTest, ParseInAFailedTransactionIsRefused) {
  const AgentProcess agent(Pool(1));
  Connection other(agent.To());
  EXPECT_TRUE(other.Prepare("s", "SELECT 1").ok());
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(QueryMessage("BEGIN; SELECT 1/0"));
  client.ReadUntil('Z');

  client.Send(ParseMessage("t", "SELECT 1") + SyncMessage());
  EXPECT_EQ(First(client.ReadUntil('Z'), 'E').Field('C'), "25P02");
  client.Send(QueryMessage("ROLLBACK"));
  client.ReadUntil('Z');

  client.Send(ParseMessage("t", "SELECT 1") + BindMessage("", "t") + ExecuteMessage("") +
              SyncMessage());
  EXPECT_EQ(FirstRow(client.ReadUntil('Z')), std::vector<std::string>{"1"});
  EXPECT_EQ(other.ExecutePrepared("s").value(), "1");
}

}  // namespace
}  // namespace pgvalet::integration

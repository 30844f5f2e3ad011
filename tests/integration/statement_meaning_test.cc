// Statements that clients prepare by equal texts, where the texts do not mean the same to them: in
// a transaction that has changed settings or objects, behind requests that may, at another time.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

constexpr const char* kText = "SELECT * FROM thing";

// Undoes what a test has done to the shared cluster.
class StatementMeaningTest : public testing::Test {
 protected:
  StatementMeaningTest() {
    for (const std::string schema : {"a", "b"}) {
      owner.Must("CREATE SCHEMA meaning_" + schema);
      owner.Must("CREATE TABLE meaning_" + schema + ".thing AS SELECT '" + schema + "' AS v");
    }
    owner.Must("ALTER ROLE alice SET search_path = meaning_a");
  }
  ~StatementMeaningTest() override {
    owner.Query("ALTER ROLE alice RESET ALL");
    owner.Query("DROP SCHEMA meaning_a, meaning_b CASCADE");
    owner.Query("DROP SCHEMA IF EXISTS meaning_c CASCADE");
  }

  // One server connection: whatever the clients share, they share there.
  static AgentConfig OneConnection() {
    AgentConfig config;
    config.Set("default_pool_size", "1");
    return config;
  }

  static std::string Prepared(Connection& client, const std::string& sql = kText) {
    const Answer prepared = client.Prepare("s", sql);
    return prepared.ok() ? client.ExecutePrepared("s").value() : prepared.message;
  }

  // The server sees all of it at once: `first`, then the statement, prepared and executed.
  static std::string PreparedBehind(Connection& client, const std::string& first) {
    PGconn* raw = client.raw();
    PQenterPipelineMode(raw);
    PQsendQueryParams(raw, first.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0);
    PQsendPrepare(raw, "s", kText, 0, nullptr);
    PQsendQueryPrepared(raw, "s", 0, nullptr, nullptr, nullptr, 0);
    PQpipelineSync(raw);
    std::string value;
    for (bool synced = false; !synced;) {
      PGresult* result = PQgetResult(raw);
      if (result == nullptr) continue;
      synced = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
      if (!synced) value = ToAnswer(result).value();
      PQclear(result);
    }
    PQexitPipelineMode(raw);
    return value;
  }

  Connection owner{TheCluster().DirectTo("alice")};
};

TEST_F(StatementMeaningTest, SetLocalMakesEqualTextsDifferentStatements) {
  const AgentProcess agent(OneConnection());
  Connection first(agent.To()), second(agent.To()), third(agent.To());

  first.Must("BEGIN; SET LOCAL search_path = meaning_b");
  EXPECT_EQ(Prepared(first), "b");
  first.Must("COMMIT");
  second.Must("BEGIN");
  second.Must("SELECT set_config('search_path', 'meaning_b', true)");
  EXPECT_EQ(Prepared(second), "b");
  second.Must("ROLLBACK");

  EXPECT_EQ(Prepared(third), "a");
}

TEST_F(StatementMeaningTest, SetInAnOpenTransactionMakesEqualTextsDifferentStatements) {
  const AgentProcess agent(OneConnection());
  Connection first(agent.To()), second(agent.To());
  EXPECT_EQ(Prepared(second), "a");

  first.Must("BEGIN");
  first.Must("SAVEPOINT one");
  first.Must("SET search_path = meaning_b");
  EXPECT_EQ(Prepared(first), "b");
  EXPECT_EQ(first.Query("SELECT 1/0").sqlstate, "22012");
  first.Must("ROLLBACK TO one");
  EXPECT_EQ(first.ExecutePrepared("s").value(), "a");
  first.Must("COMMIT");
}

TEST_F(StatementMeaningTest, SetThatIsNotAnsweredYetMakesEqualTextsDifferentStatements) {
  const AgentProcess agent(OneConnection());
  Connection first(agent.To()), second(agent.To()), third(agent.To());
  EXPECT_EQ(Prepared(first), "a");

  second.Must("BEGIN");
  EXPECT_EQ(PreparedBehind(second, "SET LOCAL search_path = meaning_b"), "b");
  second.Must("COMMIT");

  EXPECT_EQ(PreparedBehind(third, "SELECT set_config('search_path', 'meaning_b', false)"), "b");
}

TEST_F(StatementMeaningTest, BeginThatIsNotAnsweredYetLetsTextsBeShared) {
  const AgentProcess agent(OneConnection());
  Connection first(agent.To()), second(agent.To());
  const std::string plans =
      "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'PGVALET%'";

  EXPECT_EQ(PreparedBehind(first, "BEGIN"), "a");
  first.Must("COMMIT");
  EXPECT_EQ(PreparedBehind(second, "BEGIN"), "a");
  second.Must("COMMIT");

  EXPECT_EQ(first.Value(plans), "1");
}

TEST_F(StatementMeaningTest, TemporaryTableOfTheTransactionHidesAnother) {
  const AgentProcess agent(OneConnection());
  Connection first(agent.To()), second(agent.To());
  for (const char* make :
       {"SELECT 'temporary' AS v INTO TEMP thing",
        "CREATE TEMP TABLE thing AS SELECT 'temporary' AS v",
        "DO $$ BEGIN CREATE TEMP VIEW thing AS SELECT 'temporary' AS v; END $$"}) {
    first.Must("BEGIN");
    first.Must(make);
    EXPECT_EQ(Prepared(first), "temporary") << make;
    first.Must("ROLLBACK");
    first.Must("DEALLOCATE s");

    EXPECT_EQ(Prepared(second), "a") << make;
    second.Must("DEALLOCATE s");
  }
}

TEST_F(StatementMeaningTest, AlterThatIsRolledBackLeavesOthersWithTheColumnsThatAreThere) {
  AgentConfig config;
  config.Set("default_pool_size", "2").Set("server_round_robin", "true");
  const AgentProcess agent(config);
  Connection first(agent.To()), second(agent.To());

  first.Must("BEGIN");
  first.Must("ALTER TABLE thing ADD COLUMN w int");
  EXPECT_TRUE(first.Prepare("s", kText).ok());
  EXPECT_TRUE(first.Describe("s").ok());
  first.Must("ROLLBACK");

  EXPECT_TRUE(second.Prepare("s", kText).ok());
  EXPECT_TRUE(second.Describe("s").ok());
  for (int turn = 0; turn < 4; ++turn) {
    EXPECT_EQ(second.ExecutePrepared("s").rows.at(0).size(), 1U) << turn;
    EXPECT_EQ(first.ExecutePrepared("s").sqlstate, "0A000") << turn;  // as a direct session
  }
}

TEST_F(StatementMeaningTest, NewTableHidesAnotherForWhoPreparesAfterwards) {
  owner.Must("CREATE SCHEMA meaning_c");
  const AgentProcess agent(OneConnection());
  const std::string options = " options='-c search_path=meaning_c,meaning_a'";
  Connection first(agent.To() + options), second(agent.To() + options);
  EXPECT_EQ(Prepared(first), "a");

  first.Must("CREATE TABLE meaning_c.thing AS SELECT 'c' AS v");

  EXPECT_EQ(Prepared(second), "c");
}

TEST_F(StatementMeaningTest, FunctionOfAnotherResultIsSeenByWhoPreparesAfterwards) {
  const AgentProcess agent(OneConnection());
  Connection first(agent.To()), second(agent.To());
  const std::string sql = "SELECT f()";
  first.Must("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  EXPECT_EQ(Prepared(first, sql), "1");

  first.Must("DROP FUNCTION f()");
  first.Must("CREATE FUNCTION f() RETURNS numeric LANGUAGE sql AS 'SELECT 7.25'");

  EXPECT_EQ(Prepared(second, sql), "7.25");
}

TEST_F(StatementMeaningTest, TableMadeInATransactionThatWasFollowedByAnotherHidesTheOldOne) {
  owner.Must("CREATE SCHEMA meaning_c");
  const AgentProcess agent(OneConnection());
  const std::string options = " options='-c search_path=meaning_c,meaning_a'";
  Connection first(agent.To() + options), second(agent.To() + options);
  EXPECT_EQ(Prepared(first), "a");

  second.Must("BEGIN; CREATE TABLE meaning_c.thing AS SELECT 'c' AS v; COMMIT AND CHAIN");
  EXPECT_EQ(Prepared(second), "c");
  second.Must("ROLLBACK");
}

TEST_F(StatementMeaningTest, ChangeByAnotherRoleIsSeenByWhoPreparesAfterwards) {
  const AgentProcess agent(OneConnection());
  Connection migrates(agent.To("postgres")), first(agent.To()), second(agent.To());
  EXPECT_EQ(Prepared(first), "a");
  EXPECT_TRUE(first.Describe("s").ok());

  migrates.Must("ALTER TABLE meaning_a.thing ADD COLUMN w int");

  EXPECT_TRUE(second.Prepare("s", kText).ok());
  EXPECT_TRUE(second.Describe("s").ok());
  EXPECT_EQ(second.ExecutePrepared("s").value(), "a");
}

TEST_F(StatementMeaningTest, RenamedSchemaIsSeenByWhoPreparesAfterwards) {
  const AgentProcess agent(OneConnection());
  const std::string options = " options='-c search_path=meaning_c,meaning_a'";
  Connection first(agent.To() + options), second(agent.To() + options);
  EXPECT_EQ(Prepared(first), "a");

  first.Must("ALTER SCHEMA meaning_b RENAME TO meaning_c");

  EXPECT_EQ(Prepared(second), "b");
  second.Must("ALTER SCHEMA meaning_c RENAME TO meaning_b");
}

TEST_F(StatementMeaningTest, NowAsAConstantIsTheTimeAtWhichTheClientPrepares) {
  const AgentProcess agent(OneConnection());
  Connection first(agent.To()), second(agent.To());
  const std::string sql = "SELECT 'now'::timestamptz";
  EXPECT_TRUE(first.Prepare("s", sql).ok());
  const std::string between = first.Value("SELECT clock_timestamp()");

  EXPECT_TRUE(second.Prepare("s", sql).ok());

  const std::string at = second.ExecutePrepared("s").value();
  EXPECT_EQ(second.Value("SELECT '" + at + "'::timestamptz > '" + between + "'::timestamptz"), "t");
}

TEST_F(StatementMeaningTest, ClosedStatementThatNobodyElseCanUseIsGoneFromTheServer) {
  const AgentProcess agent(OneConnection());
  Connection other(agent.To());
  RawClient client(agent.port());
  client.Login("alice");
  client.Send(QueryMessage("BEGIN; SET LOCAL search_path = meaning_b"));
  client.ReadUntil('Z');
  for (int turn = 0; turn < 5; ++turn) {
    client.Send(ParseMessage("s", kText) + SyncMessage());
    EXPECT_EQ(client.ReadUntil('Z').front().type, '1');
    client.Send(CloseMessage('S', "s") + SyncMessage());
    EXPECT_EQ(client.ReadUntil('Z').front().type, '3');
  }
  client.Send(QueryMessage("COMMIT"));
  client.ReadUntil('Z');

  EXPECT_EQ(other.Value("SELECT count(*) FROM pg_prepared_statements"), "0");
}

}  // namespace
}  // namespace pgvalet::integration

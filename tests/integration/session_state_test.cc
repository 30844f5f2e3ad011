// Whatever a client makes of its session is there for it after every transaction, on whichever
// backend serves it, and for nobody else.  Two server connections are used in turn, and a neighbour
// with a session of its own uses them in between.  A direct session says what is right.
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

struct Script {
  std::string name;
  std::vector<std::string> steps;  // each a transaction of its own, or a part of one
  bool as_superuser = false;
};

std::ostream& operator<<(std::ostream& out, const Script& script) { return out << script.name; }

// Objects that scripts use, once.
void MakeObjects() {
  static const bool made = [] {
    Connection admin(TheCluster().DirectTo("postgres"));
    admin.Must("GRANT bob TO alice");
    Connection owner(TheCluster().DirectTo("alice"));
    owner.Must(R"(
      CREATE SCHEMA state;
      CREATE TABLE state.t (a int);
      CREATE TABLE state.fires (a int);
      CREATE SEQUENCE state.s1;
      CREATE SEQUENCE state.s2 START 100 CACHE 10;
      CREATE TABLE state.serial (id serial, a int);
      CREATE TABLE state.identity (id int GENERATED ALWAYS AS IDENTITY, a int);
      CREATE FUNCTION state.set_it(v text) RETURNS void LANGUAGE plpgsql AS
        $$ BEGIN PERFORM set_config('app.it', v, false); END $$;
      CREATE FUNCTION state.local_clause() RETURNS text LANGUAGE sql SET work_mem = '7MB' AS
        $$ SELECT current_setting('work_mem') $$;
      CREATE FUNCTION state.on_insert() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM set_config('app.trigger', NEW.a::text, false); RETURN NEW; END $$;
      CREATE TRIGGER fires BEFORE INSERT ON state.fires FOR EACH ROW EXECUTE FUNCTION state.on_insert();
      CREATE PROCEDURE state.commits(v text) LANGUAGE plpgsql AS
        $$ BEGIN PERFORM set_config('app.one', v, false); COMMIT;
                 PERFORM set_config('app.two', v, false); ROLLBACK; END $$;
      CREATE FUNCTION state.last() RETURNS bigint LANGUAGE sql AS $$ SELECT lastval() $$;
    )");
    return true;
  }();
  ASSERT_TRUE(made);
}

std::string InText(const Answer& answer) {
  std::string text = answer.sqlstate + " " + answer.message + " " + answer.tag;
  for (const auto& row : answer.rows) {
    text += "\n ";
    for (const auto& field : row) text += field ? " '" + *field + "'" : " NULL";
  }
  return text;
}

enum class Way { kSimple, kExtended };

Answer Ask(Connection& connection, const std::string& sql, Way way) {
  return way == Way::kSimple ? connection.Query(sql) : connection.QueryParams(sql, {});
}

class EveryScript : public testing::TestWithParam<Script> {
 protected:
  void Compare(Way way) {
    MakeObjects();
    const std::string user = GetParam().as_superuser ? "postgres" : "alice";
    AgentConfig config;
    config.Set("default_pool_size", "2").Set("server_round_robin", "true");
    config.Set("max_pinned_share", "1");
    const AgentProcess agent(config);
    // Before, and not beside: both take the same locks.
    std::vector<std::string> expected;
    {
      Connection direct(TheCluster().DirectTo(user));
      for (const std::string& step : GetParam().steps) {
        expected.push_back(InText(Ask(direct, step, way)));
      }
    }
    Connection pooled(agent.To(user));
    Connection neighbour(agent.To(user) + " application_name=neighbour");
    neighbour.Must("SET app.it = 'of the neighbour'; SET work_mem = '3MB'");
    neighbour.Must("PREPARE q AS SELECT 'of the neighbour'");
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::string& step = GetParam().steps[i];
      const bool in_transaction = PQtransactionStatus(pooled.raw()) != PQTRANS_IDLE;
      if (!in_transaction) {
        EXPECT_EQ(neighbour.Value("SHOW work_mem"), "3MB");
        EXPECT_EQ(neighbour.Value("SELECT current_setting('app.it') || current_user"),
                  "of the neighbour" + user);
        EXPECT_EQ(neighbour.Value("EXECUTE q"), "of the neighbour");
      }
      EXPECT_EQ(InText(Ask(pooled, step, way)), expected[i]) << "step: " << step;
    }
  }
};

TEST_P(EveryScript, IsAsInADirectSession) { Compare(Way::kSimple); }
TEST_P(EveryScript, IsAsInADirectSessionByTheExtendedProtocol) { Compare(Way::kExtended); }

const std::vector<Script> kScripts = {
    {"Set",
     {"SET work_mem = '9MB'", "SHOW work_mem", "SHOW work_mem", "RESET work_mem", "SHOW work_mem"}},
    {"SetTwice", {"SET work_mem = '9MB'", "SET work_mem = '8MB'", "SHOW work_mem"}},
    {"Custom", {"SET app.it = 'x y'", "SELECT current_setting('app.it')", "SHOW app.it"}},
    {"OddValues",
     {"SELECT set_config('app.it', E'it''s \\\\ \"quoted\"\\n\\t, ;--', false)",
      "SELECT current_setting('app.it')",
      "SELECT set_config('app.it', repeat('ü€', 50000), false) = ''",
      "SELECT md5(current_setting('app.it')), length(current_setting('app.it'))"}},
    {"SetConfigInFunction", {"SELECT state.set_it('f')", "SELECT current_setting('app.it')"}},
    {"SetConfigInDo",
     {"DO $$ BEGIN PERFORM set_config('app.it', 'd', false); END $$",
      "SELECT current_setting('app.it')"}},
    {"SetInTrigger",
     {"INSERT INTO state.fires VALUES (5)", "SELECT current_setting('app.trigger')"}},
    {"ProcedureThatCommits",
     {"CALL state.commits('c')", "SELECT current_setting('app.one')",
      "SELECT current_setting('app.two', true)"}},
    {"SetLocal",
     {"BEGIN", "SET LOCAL work_mem = '9MB'", "SHOW work_mem", "COMMIT", "SHOW work_mem"}},
    {"RolledBack", {"BEGIN", "SET work_mem = '9MB'", "SHOW work_mem", "ROLLBACK", "SHOW work_mem"}},
    {"SavepointRolledBack",
     {"BEGIN", "SET work_mem = '9MB'", "SAVEPOINT s", "SET work_mem = '8MB'", "ROLLBACK TO s",
      "COMMIT", "SHOW work_mem"}},
    {"SavepointReleased",
     {"BEGIN", "SAVEPOINT s", "SET work_mem = '8MB'", "RELEASE s", "COMMIT", "SHOW work_mem"}},
    {"FailedTransaction",
     {"BEGIN", "SET work_mem = '9MB'", "SELECT 1/0", "COMMIT", "SHOW work_mem"}},
    {"FunctionWithSetClause", {"SELECT state.local_clause()", "SHOW work_mem"}},
    {"ResetAll",
     {"SET work_mem = '9MB'", "SET timezone = 'Asia/Tokyo'", "RESET ALL", "SHOW work_mem",
      "SHOW timezone"}},
    {"DiscardAll",
     {"SET work_mem = '9MB'", "SET app.it = 'x'", "DISCARD ALL", "SHOW work_mem",
      "SELECT current_setting('app.it', true)"}},
    {"SearchPath",
     {"SET search_path = state, public", "SELECT count(*) FROM t", "SHOW search_path",
      "SET search_path = ''", "SELECT count(*) FROM t"}},
    {"Role",
     {"SET ROLE bob", "SELECT current_user, session_user", "SELECT count(*) FROM state.t",
      "RESET ROLE", "SELECT current_user"}},
    {"SessionAuthorization",
     {"SET SESSION AUTHORIZATION alice", "SELECT current_user, session_user", "SET ROLE bob",
      "SELECT current_user, session_user", "RESET SESSION AUTHORIZATION",
      "SELECT current_user, session_user"},
     true},
    {"SessionCharacteristics",
     {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "INSERT INTO state.t VALUES (1)",
      "SHOW default_transaction_read_only"}},
    {"ReplicationRole",
     {"SET session_replication_role = replica", "SHOW session_replication_role"},
     true},
    {"DateStyle", {"SET datestyle = 'SQL, DMY'", "SELECT '2024-01-02'::date"}},
    {"ErrorLeavesAll",
     {"SET app.it = 'x'", "SET work_mem = 'nonsense'", "SELECT current_setting('app.it')"}},
    {"Prepare",
     {"PREPARE p(int) AS SELECT $1 + 1", "EXECUTE p(1)", "EXECUTE p(2)", "DEALLOCATE p",
      "EXECUTE p(3)"}},
    {"PrepareOfTheNeighboursName",
     {"PREPARE q AS SELECT 'mine'", "EXECUTE q", "EXECUTE q", "PREPARE q AS SELECT 'again'",
      "DEALLOCATE ALL", "EXECUTE q"}},
    {"PrepareSurvivesRollback",
     {"BEGIN", "PREPARE p AS SELECT 5", "ROLLBACK", "EXECUTE p",
      "SELECT name, statement, from_sql FROM pg_prepared_statements WHERE from_sql ORDER BY name"}},
    {"PrepareInDo",
     {"DO $$ BEGIN EXECUTE 'PREPARE p AS SELECT 6'; END $$", "EXECUTE p",
      "CREATE TEMP TABLE made AS EXECUTE p", "SELECT * FROM made", "DROP TABLE made"}},
    {"TemporaryTable",
     {"CREATE TEMP TABLE x (a int)", "INSERT INTO x VALUES (1), (2)", "SELECT sum(a) FROM x",
      "DROP TABLE x", "SELECT count(*) FROM x"}},
    {"TemporaryTableOnCommitDrop",
     {"BEGIN", "CREATE TEMP TABLE x (a int) ON COMMIT DROP", "INSERT INTO x VALUES (1)",
      "SELECT * FROM x", "COMMIT", "SELECT count(*) FROM x"}},
    {"TemporaryTableInDo",
     {"DO $$ BEGIN CREATE TEMP TABLE x AS SELECT 7 AS a; END $$", "SELECT a FROM x", "DISCARD TEMP",
      "SELECT a FROM x"}},
    {"TemporaryView", {"CREATE TEMP VIEW v AS SELECT 8 AS a", "SELECT a FROM v", "DROP VIEW v"}},
    {"TemporaryFunction",
     {"CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 9'", "SELECT pg_temp.f()",
      "DROP FUNCTION pg_temp.f()"}},
    {"AdvisoryLock",
     {"SELECT pg_advisory_lock(77)",
      "SELECT objid, mode FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
      "SELECT pg_advisory_unlock(77)", "SELECT pg_advisory_unlock(77)"}},
    {"AdvisoryLockInTransaction",
     {"BEGIN", "SELECT pg_try_advisory_lock(78), pg_advisory_xact_lock(79)", "ROLLBACK",
      "SELECT pg_advisory_unlock(79)", "SELECT pg_advisory_unlock(78)"}},
    {"CursorWithHold",
     {"BEGIN", "DECLARE c CURSOR WITH HOLD FOR SELECT generate_series(1, 9)", "FETCH 2 FROM c",
      "COMMIT", "FETCH 2 FROM c", "FETCH 2 FROM c", "CLOSE c", "FETCH 1 FROM c"}},
    {"Seed",
     {"SELECT setseed(0.5)", "SELECT round(random()::numeric, 6)",
      "SELECT round(random()::numeric, 6)"}},
    {"Listening",
     {"LISTEN a", "SELECT pg_listening_channels()", "UNLISTEN a",
      "SELECT pg_listening_channels()"}},
    {"Lastval",
     {"SELECT lastval()", "INSERT INTO state.serial (a) VALUES (1)",
      "SELECT lastval() = (SELECT max(id) FROM state.serial)",
      "SELECT currval('state.serial_id_seq') = (SELECT max(id) FROM state.serial)",
      "INSERT INTO state.identity (a) VALUES (1)",
      "SELECT lastval() = (SELECT max(id) FROM state.identity)", "DISCARD SEQUENCES",
      "SELECT lastval()"}},
    {"SequencesOfSeveralTransactions",
     {"SELECT nextval('state.s1') > 0", "INSERT INTO state.serial (a) VALUES (2)",
      "SELECT currval('state.s1') = (SELECT last_value FROM state.s1)",
      "CREATE TABLE state.more (id serial)", "DROP TABLE state.more",
      "SELECT currval('state.s1') = (SELECT last_value FROM state.s1)",
      "SELECT lastval() = (SELECT max(id) FROM state.serial)", "BEGIN", "DISCARD SEQUENCES",
      "SELECT nextval('state.s1') > 0", "COMMIT", "SELECT currval('state.serial_id_seq')",
      "SELECT currval('state.s1') = (SELECT last_value FROM state.s1)"}},
    {"ClientEncoding",
     {"SET client_encoding = 'LATIN1'", "SELECT set_config('app.it', U&'\\00fc', false)",
      "SELECT current_setting('app.it')", "SHOW client_encoding"}},
};

INSTANTIATE_TEST_SUITE_P(SessionStateTest, EveryScript, testing::ValuesIn(kScripts),
                         [](const auto& test) { return test.param.name; });

// ---- what startup brought ----

TEST(SessionStateTest, ResetGoesBackToWhatTheClientBroughtAtStartup) {
  AgentConfig config;
  config.Set("default_pool_size", "2").Set("server_round_robin", "true");
  const AgentProcess agent(config);
  const std::string options = " application_name=first options='-c work_mem=9MB -c app.it=start'";
  Connection direct(TheCluster().DirectTo("alice") + options), pooled(agent.To() + options);
  Connection neighbour(agent.To() + " application_name=second options='-c work_mem=5MB'");

  for (const char* sql :
       {"SET work_mem = '6MB'", "SHOW work_mem", "RESET work_mem", "SHOW work_mem",
        "BEGIN; SET work_mem = '4MB'; RESET work_mem; SHOW work_mem", "COMMIT",
        "SET application_name = 'other'", "RESET ALL", "SHOW application_name",
        "SELECT current_setting('app.it')", "DISCARD ALL", "SHOW work_mem",
        "SELECT name, setting, source FROM pg_settings WHERE name = 'work_mem'"}) {
    EXPECT_EQ(InText(pooled.Query(sql)), InText(direct.Query(sql))) << sql;
    if (PQtransactionStatus(pooled.raw()) == PQTRANS_IDLE) {
      EXPECT_EQ(neighbour.Value("SHOW work_mem"), "5MB");
      EXPECT_EQ(neighbour.Value("SHOW application_name"), "second");
      // A custom setting that was there once is empty and not unknown (docs/pooling.md).
      EXPECT_EQ(neighbour.Value("SELECT coalesce(current_setting('app.it', true), '')"), "");
    }
  }
}

// ---- what cannot be restored ----

TEST(SessionStateTest, RoleThatIsGoneFailsTheStatementAndNothingRunsAsAnybodyElse) {
  Connection admin(TheCluster().DirectTo("postgres"));
  admin.Must("DROP ROLE IF EXISTS passing; CREATE ROLE passing; GRANT passing TO alice");
  AgentConfig config;
  config.Set("default_pool_size", "2").Set("server_round_robin", "true");
  const AgentProcess agent(config);
  Connection client(agent.To()), other(agent.To());
  client.Must("SET ROLE passing");
  EXPECT_EQ(client.Value("SELECT current_user"), "passing");
  admin.Must("DROP ROLE passing");
  EXPECT_EQ(other.Value("SELECT current_user"), "alice");
  EXPECT_EQ(other.Value("SELECT current_user"), "alice");

  const Answer refused = client.Query("SELECT current_user");

  EXPECT_EQ(refused.sqlstate, "22023") << InText(refused);
  EXPECT_EQ(other.Value("SELECT current_user"), "alice");
  EXPECT_TRUE(client.ok());
}

TEST(SessionStateTest, ClientCannotSpeakForTheAgent) {
  const AgentProcess agent;
  Connection client(agent.To());

  EXPECT_EQ(client.Query("SET pgvalet.session = 'x'").sqlstate, "42501");
  EXPECT_EQ(client.Query("SELECT set_config('pgvalet.session', 'guess ', false)").sqlstate,
            "42501");
  EXPECT_EQ(client.Query("SET pgvalet.agent_key = 'x'").sqlstate, "55P02");
  EXPECT_EQ(client.Value("SELECT current_setting('pgvalet.agent_key')"), "");
  EXPECT_EQ(client.Value("SELECT count(*) FROM pg_settings WHERE name = 'pgvalet.agent_key' AND "
                         "length(setting) > 0"),
            "0");
  EXPECT_EQ(client.Value("SELECT 1"), "1");
}

}  // namespace
}  // namespace pgvalet::integration

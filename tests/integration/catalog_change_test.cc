// The catalog changes under clients that share server connections: defaults of settings, columns of
// tables, tables of the same name in several schemas.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

AgentConfig PoolOf(int connections) {
  AgentConfig config;
  config.Set("default_pool_size", std::to_string(connections)).Set("server_round_robin", "true");
  return config;
}

// Its SQLSTATE; empty when there is none.
std::string FirstError(const std::vector<RawMessage>& messages) {
  for (const RawMessage& message : messages) {
    if (message.type == 'E') return message.Field('C');
  }
  return {};
}

// Undoes what a test has done to the shared cluster.
class CatalogChangeTest : public testing::Test {
 protected:
  ~CatalogChangeTest() override {
    admin.Query("ALTER ROLE alice RESET ALL");
    admin.Query("ALTER DATABASE app RESET ALL");
    admin.Query("ALTER ROLE alice IN DATABASE app RESET ALL");
    admin.Query("ALTER SYSTEM RESET work_mem");
    admin.Query("SELECT pg_reload_conf()");
    admin.Query("DROP SCHEMA IF EXISTS catalog_change, tenant_a, tenant_b CASCADE");
  }

  void MakeTable() {
    Connection owner(TheCluster().DirectTo("alice"));
    owner.Must("CREATE SCHEMA catalog_change");
    owner.Must("CREATE TABLE catalog_change.t AS SELECT 1 AS a");
  }

  Connection admin{TheCluster().DirectTo("postgres")};
};

TEST_F(CatalogChangeTest, AlterRoleSetIsHonouredByTheNextClient) {
  const AgentProcess agent(PoolOf(3));
  Connection first(agent.To()), second(agent.To());
  for (int i = 0; i < 4; ++i) first.Must("SELECT 1");  // all connections are there

  first.Must("ALTER ROLE alice SET work_mem = '7MB'");

  Connection late(agent.To());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(late.Value("SHOW work_mem"), "7MB");
  second.Must("SET work_mem = '9MB'");
  second.Must("RESET work_mem");
  EXPECT_EQ(second.Value("SHOW work_mem"), "7MB");
}

TEST_F(CatalogChangeTest, AlterDatabaseSetPastTheAgentIsHonoured) {
  const AgentProcess agent(PoolOf(2));
  Connection client(agent.To());
  client.Must("SELECT 1");

  admin.Must("ALTER DATABASE app SET work_mem = '8MB'");
  client.Must("SELECT 1");  // a connection that is still there tells of it

  Connection late(agent.To());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(late.Value("SHOW work_mem"), "8MB");
}

TEST_F(CatalogChangeTest, AlterRoleInDatabaseSetIsHonoured) {
  const AgentProcess agent(PoolOf(1));
  Connection client(agent.To());
  client.Must("SELECT 1");

  admin.Must("ALTER ROLE alice IN DATABASE app SET work_mem = '6MB'");
  client.Must("SELECT 1");

  EXPECT_EQ(client.Value("SHOW work_mem"), "6MB");
}

TEST_F(CatalogChangeTest, AlterRoleSetThatIsRolledBackOrOfAnotherRoleChangesNothing) {
  const AgentProcess agent(PoolOf(1));
  Connection client(agent.To());
  const std::string backend = client.Value("SELECT pg_backend_pid()");

  client.Must("BEGIN; ALTER ROLE alice SET work_mem = '7MB'; ROLLBACK");
  admin.Must("ALTER ROLE bob SET work_mem = '4MB'");
  client.Must("SELECT 1");
  admin.Must("ALTER ROLE bob RESET ALL");

  EXPECT_EQ(client.Value("SELECT pg_backend_pid()"), backend);
}

TEST_F(CatalogChangeTest, ReloadOfTheServersConfigurationPinsNobody) {
  const AgentProcess agent(PoolOf(1));
  Connection client(agent.To() + " options='-c work_mem=7MB'"), other(agent.To());
  EXPECT_EQ(client.Value("SHOW work_mem"), "7MB");
  EXPECT_EQ(other.Value("SHOW work_mem"), "4MB");
  EXPECT_EQ(client.Value("SHOW work_mem"), "7MB");

  admin.Must("ALTER SYSTEM SET work_mem = '12MB'");
  admin.Must("SELECT pg_reload_conf()");
  ASSERT_TRUE(Eventually([&] { return admin.Value("SHOW work_mem") == "12MB"; }));
  // The backend may read the file as late as with its next command.
  client.Must("SELECT 1");
  client.Must("SELECT 1");

  EXPECT_EQ(other.Value("SHOW work_mem"), "12MB");
  EXPECT_EQ(client.Value("SHOW work_mem"), "7MB");
}

TEST_F(CatalogChangeTest, StatementPreparedAfterAlterTableHasTheNewColumns) {
  MakeTable();
  const AgentProcess agent(PoolOf(1));
  Connection old(agent.To()), late(agent.To());
  const std::string sql = "SELECT * FROM catalog_change.t";
  EXPECT_TRUE(old.Prepare("s", sql).ok());
  EXPECT_EQ(old.ExecutePrepared("s").rows.at(0).size(), 1U);

  late.Must("ALTER TABLE catalog_change.t ADD COLUMN b int");

  EXPECT_TRUE(late.Prepare("s", sql).ok());
  EXPECT_EQ(late.ExecutePrepared("s").rows.at(0).size(), 2U);
  // As in a direct session: what was prepared before is refused, every time, until prepared again.
  EXPECT_EQ(old.ExecutePrepared("s").sqlstate, "0A000");
  EXPECT_EQ(old.ExecutePrepared("s").sqlstate, "0A000");
  EXPECT_TRUE(old.Prepare("again", sql).ok());
  EXPECT_EQ(old.ExecutePrepared("again").rows.at(0).size(), 2U);
}

TEST_F(CatalogChangeTest, StatementPreparedInTheTransactionThatAltersTheTableHasTheNewColumns) {
  MakeTable();
  const AgentProcess agent(PoolOf(1));
  Connection client(agent.To());
  const std::string sql = "SELECT * FROM catalog_change.t";
  EXPECT_TRUE(client.Prepare("before", sql).ok());

  client.Must("BEGIN");
  client.Must("ALTER TABLE catalog_change.t ADD COLUMN b int");
  EXPECT_TRUE(client.Prepare("inside", sql).ok());
  EXPECT_EQ(client.ExecutePrepared("inside").rows.at(0).size(), 2U);
  client.Must("COMMIT");
}

TEST_F(CatalogChangeTest, TableAlteredPastTheAgentIsSeenByStatementsPreparedAfterwards) {
  MakeTable();
  const AgentProcess agent(PoolOf(2));
  Connection old(agent.To()), late(agent.To());
  const std::string sql = "SELECT * FROM catalog_change.t";
  EXPECT_TRUE(old.Prepare("s", sql).ok());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(old.ExecutePrepared("s").ok());

  admin.Must("ALTER TABLE catalog_change.t ADD COLUMN b int");
  old.Must("SELECT 1");  // any transaction through the agent

  EXPECT_TRUE(late.Prepare("s", sql).ok());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(late.ExecutePrepared("s").rows.at(0).size(), 2U);
}

// On a server connection that does not have the statement it would be prepared with the new
// columns, while the client goes by those that it was told.
TEST_F(CatalogChangeTest, StatementThatWasDescribedBeforeAlterTableIsRefusedOnEveryConnection) {
  MakeTable();
  const AgentProcess agent(PoolOf(3));
  Connection old(agent.To()), other(agent.To());
  EXPECT_TRUE(old.Prepare("s", "SELECT * FROM catalog_change.t").ok());
  EXPECT_TRUE(old.Describe("s").ok());

  other.Must("ALTER TABLE catalog_change.t ADD COLUMN b int");

  for (int turn = 0; turn < 7; ++turn) {
    const Answer answer = old.ExecutePrepared("s");
    EXPECT_EQ(answer.sqlstate, "0A000");
    EXPECT_EQ(answer.message, "cached plan must not change result type");
    EXPECT_EQ(old.Value("SELECT 'goes on'"), "goes on");
  }
  old.Must("BEGIN");
  EXPECT_EQ(old.ExecutePrepared("s").sqlstate, "0A000");
  EXPECT_EQ(old.Query("SELECT 1").sqlstate, "25P02");
  old.Must("ROLLBACK");
}

TEST_F(CatalogChangeTest, EqualTextsInDifferentDatabasesAreDifferentStatements) {
  MakeTable();
  admin.Query("CREATE DATABASE catalog_change_other");
  {
    Connection there(TheCluster().DirectTo("postgres", "catalog_change_other"));
    there.Must("CREATE SCHEMA catalog_change CREATE TABLE t (a int, b text)");
    there.Must("CREATE TABLE catalog_change.unrelated (a int)");
    there.Must("GRANT USAGE ON SCHEMA catalog_change TO alice");
    there.Must("GRANT SELECT ON catalog_change.t TO alice");
    const AgentProcess agent(PoolOf(2));
    const std::string sql = "SELECT * FROM catalog_change.t";
    Connection here(agent.To()), other(agent.To("alice", "catalog_change_other"));
    EXPECT_TRUE(here.Prepare("s", sql).ok());
    EXPECT_TRUE(here.Describe("s").ok());
    EXPECT_TRUE(other.Prepare("s", sql).ok());
    EXPECT_TRUE(other.Describe("s").ok());

    there.Must("ALTER TABLE catalog_change.unrelated ADD COLUMN b int");
    other.Must("SELECT 1");

    for (int turn = 0; turn < 5; ++turn) EXPECT_TRUE(other.ExecutePrepared("s").ok()) << turn;
  }
  admin.Must("DROP DATABASE catalog_change_other WITH (FORCE)");
}

TEST_F(CatalogChangeTest, ErrorOfAnotherRequestDoesNotHideThatColumnsHaveChanged) {
  MakeTable();
  const AgentProcess agent(PoolOf(3));
  Connection other(agent.To());
  RawClient old(agent.port());
  old.Login("alice");
  old.Send(ParseMessage("s", "SELECT * FROM catalog_change.t") + DescribeMessage('S', "s") +
           SyncMessage());
  old.ReadUntil('Z');
  const std::string fails =
      ParseMessage("", "SELECT 1/0") + BindMessage("", "") + ExecuteMessage("") + SyncMessage();
  const std::string executes = BindMessage("", "s") + ExecuteMessage("") + SyncMessage();

  other.Must("ALTER TABLE catalog_change.t ADD COLUMN b int");

  for (int turn = 0; turn < 7; ++turn) {
    old.Send(fails + executes + QueryMessage("SELECT 1"));
    EXPECT_EQ(FirstError(old.ReadUntil('Z')), "22012") << turn;
    EXPECT_EQ(FirstError(old.ReadUntil('Z')), "0A000") << turn;
    EXPECT_EQ(FirstError(old.ReadUntil('Z')), "") << turn;
  }
}

TEST_F(CatalogChangeTest, ColumnsOfOnePortalAreNotTakenForThoseOfAnotherStatement) {
  MakeTable();
  const AgentProcess agent(PoolOf(3));
  Connection other(agent.To());
  RawClient old(agent.port());
  old.Login("alice");
  old.Send(ParseMessage("one", "SELECT * FROM catalog_change.t") +
           ParseMessage("two", "SELECT 1, 2") + BindMessage("named", "one") +
           BindMessage("", "two") + DescribeMessage('P', "named") + SyncMessage());
  EXPECT_EQ(FirstError(old.ReadUntil('Z')), "");

  other.Must("CREATE TABLE catalog_change.unrelated (a int)");

  for (int turn = 0; turn < 7; ++turn) {
    old.Send(BindMessage("", "two") + ExecuteMessage("") + SyncMessage());
    EXPECT_EQ(FirstError(old.ReadUntil('Z')), "") << turn;
  }
}

TEST_F(CatalogChangeTest, ClientThatGoesWhileColumnsAreLookedAtLeavesNothingBehind) {
  MakeTable();
  const AgentProcess agent(PoolOf(2));
  Connection old(agent.To()), other(agent.To());
  EXPECT_TRUE(old.Prepare("s", "SELECT * FROM catalog_change.t").ok());
  EXPECT_TRUE(old.Describe("s").ok());
  admin.Must("CREATE TABLE catalog_change.unrelated (a int)");
  other.Must("SELECT 1");
  admin.Must("BEGIN; LOCK TABLE catalog_change.t");
  const std::string blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted";

  // On either server connection: the one that has the statement plans it, the other parses it.
  old.Send("SELECT 1");
  old.Collect();
  PQsendQueryPrepared(old.raw(), "s", 0, nullptr, nullptr, nullptr, 0);
  Connection watcher(TheCluster().DirectTo("postgres"));
  ASSERT_TRUE(Eventually([&] { return watcher.Value(blocked) == "1"; }));
  old.Kill();

  EXPECT_TRUE(Eventually([&] { return watcher.Value(blocked) == "0"; }));
  admin.Must("ROLLBACK");
  EXPECT_EQ(other.Value("SELECT 'served'"), "served");
}

TEST_F(CatalogChangeTest, StatementOfAnotherTableGoesOnAfterAlterTable) {
  MakeTable();
  const AgentProcess agent(PoolOf(3));
  Connection old(agent.To()), other(agent.To());
  EXPECT_TRUE(old.Prepare("s", "SELECT count(*) FROM pg_class WHERE relname = $1").ok());
  EXPECT_TRUE(old.Describe("s").ok());
  EXPECT_TRUE(old.Prepare("n", "LOCK TABLE catalog_change.t").ok());
  EXPECT_TRUE(old.Describe("n").ok());

  other.Must("ALTER TABLE catalog_change.t ADD COLUMN b int");

  for (int turn = 0; turn < 7; ++turn) {
    EXPECT_EQ(old.ExecutePrepared("s", {"pg_proc"}).value(), "1");
    old.Must("BEGIN");
    EXPECT_TRUE(old.ExecutePrepared("n").ok());
    old.Must("COMMIT");
  }
}

TEST_F(CatalogChangeTest, EqualTextsInDifferentSearchPathsAreDifferentStatements) {
  admin.Must("CREATE SCHEMA tenant_a CREATE TABLE t (a int)");
  admin.Must("CREATE SCHEMA tenant_b CREATE TABLE t (b text, c text)");
  admin.Must("INSERT INTO tenant_a.t VALUES (1)");
  admin.Must("INSERT INTO tenant_b.t VALUES ('x', 'y')");
  admin.Must("GRANT USAGE ON SCHEMA tenant_a, tenant_b TO alice");
  admin.Must("GRANT SELECT ON tenant_a.t, tenant_b.t TO alice");
  const AgentProcess agent(PoolOf(1));
  Connection a(agent.To()), b(agent.To() + " options='-c search_path=tenant_b'");
  a.Must("SET search_path = tenant_a");
  EXPECT_TRUE(a.Prepare("s", "SELECT * FROM t").ok());
  EXPECT_TRUE(b.Prepare("s", "SELECT * FROM t").ok());

  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(a.ExecutePrepared("s").rows.at(0).size(), 1U);
    EXPECT_EQ(b.ExecutePrepared("s").rows.at(0).size(), 2U);
  }
}

}  // namespace
}  // namespace pgvalet::integration

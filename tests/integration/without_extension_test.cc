// Transaction pooling before a server that has no extension: what a client makes of its session is
// found out by a query after each transaction that may have made something.
#include <gmock/gmock.h>

#include <string>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Cluster& PlainCluster() {
  static Cluster cluster(Cluster::Preload::kNothing);
  return cluster;
}

AgentConfig ConfigFor(int pool_size) {
  AgentConfig config;
  config.Set("default_pool_size", std::to_string(pool_size)).Set("server_round_robin", "true");
  config.Set("max_pinned_share", "1");
  config.Database("*", "host=127.0.0.1 port=" + std::to_string(PlainCluster().port()));
  return config;
}

TEST(WithoutExtensionTest, SettingsFollowTheirClient) {
  const AgentProcess agent(ConfigFor(2));
  Connection client(agent.To()), other(agent.To());
  client.Must("SET work_mem = '9MB'");
  client.Must("SELECT set_config('search_path', 'pg_catalog', false)");
  other.Must("SET work_mem = '5MB'");

  for (int turn = 0; turn < 4; ++turn) {
    EXPECT_EQ(client.Value("SHOW work_mem"), "9MB");
    EXPECT_EQ(client.Value("SHOW search_path"), "pg_catalog");
    EXPECT_EQ(other.Value("SHOW work_mem"), "5MB");
    EXPECT_EQ(other.Value("SHOW search_path"), "\"$user\", public");
  }
}

TEST(WithoutExtensionTest, SettingThatAFunctionOfADoMadeFollowsToo) {
  const AgentProcess agent(ConfigFor(1));
  Connection client(agent.To()), other(agent.To());

  client.Must("DO $$ BEGIN PERFORM set_config('work_mem', '9MB', false); END $$");

  EXPECT_EQ(other.Value("SHOW work_mem"), "4MB");
  EXPECT_EQ(client.Value("SHOW work_mem"), "9MB");
}

TEST(WithoutExtensionTest, ResetGoesBackToWhatTheClientBrought) {
  const AgentProcess agent(ConfigFor(2));
  Connection client(agent.To() + " options='-c work_mem=7MB'"), other(agent.To());

  client.Must("SET work_mem = '9MB'");
  client.Must("RESET work_mem");

  EXPECT_EQ(client.Value("SHOW work_mem"), "7MB");
  EXPECT_EQ(other.Value("SHOW work_mem"), "4MB");
  client.Must("DISCARD ALL");
  EXPECT_EQ(client.Value("SHOW work_mem"), "7MB");
}

TEST(WithoutExtensionTest, RoleFollowsItsClient) {
  Connection(PlainCluster().DirectTo("postgres")).Must("GRANT bob TO alice");
  const AgentProcess agent(ConfigFor(2));
  Connection client(agent.To()), other(agent.To());

  client.Must("SET ROLE bob");

  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(client.Value("SELECT current_user"), "bob");
    EXPECT_EQ(other.Value("SELECT current_user"), "alice");
  }
}

TEST(WithoutExtensionTest, WhatCannotMoveKeepsItsServerConnection) {
  const AgentProcess agent(ConfigFor(2));
  Connection client(agent.To()), other(agent.To());
  client.Must("CREATE TEMP TABLE t AS SELECT 5 AS a");
  const std::string pid = client.Value("SELECT pg_backend_pid()");

  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(client.Value("SELECT a FROM t"), "5");
    EXPECT_EQ(client.Value("SELECT pg_backend_pid()"), pid);
    EXPECT_NE(other.Value("SELECT pg_backend_pid()"), pid);
  }
  client.Must("DROP TABLE t");
  EXPECT_NE(client.Value("SELECT pg_backend_pid()"), client.Value("SELECT pg_backend_pid()"));
}

TEST(WithoutExtensionTest, AdvisoryLockIsHeldUntilItsClientLetsGo) {
  const AgentProcess agent(ConfigFor(2));
  Connection client(agent.To()), other(agent.To());

  EXPECT_EQ(client.Query("SELECT pg_advisory_lock(4)").sqlstate, "");

  EXPECT_EQ(other.Value("SELECT pg_try_advisory_lock(4)"), "f");
  EXPECT_EQ(client.Value("SELECT pg_advisory_unlock(4)"), "t");
  EXPECT_EQ(other.Value("SELECT pg_try_advisory_lock(4)"), "t");
}

TEST(WithoutExtensionTest, WhatIsLeftBehindIsNotFoundByTheNext) {
  const AgentProcess agent(ConfigFor(1));
  {
    Connection client(agent.To());
    client.Must("CREATE TEMP TABLE t AS SELECT 5 AS a");
    client.Must("PREPARE p AS SELECT 1");
  }
  Connection next(agent.To());

  EXPECT_EQ(next.Query("SELECT a FROM t").sqlstate, "42P01");
  EXPECT_EQ(next.Query("EXECUTE p").sqlstate, "26000");
}

TEST(WithoutExtensionTest, WarnTellsTheClientWhatItLoses) {
  const AgentProcess agent(ConfigFor(1).SetText("without_extension", "warn"));
  Connection client(agent.To());

  client.Must("CREATE TEMP TABLE t AS SELECT 5 AS a");
  client.Must("SELECT 1");

  EXPECT_THAT(client.notices(), ElementsAre(HasSubstr("is lost")));
  EXPECT_EQ(client.Query("SELECT a FROM t").sqlstate, "42P01");
}

TEST(WithoutExtensionTest, IgnoreAsksNothing) {
  const AgentProcess agent(ConfigFor(1).SetText("without_extension", "ignore"));
  Connection client(agent.To());

  client.Must("CREATE TEMP TABLE ignored AS SELECT 5 AS a");

  EXPECT_EQ(client.Value("SELECT a FROM ignored"), "5");  // on the only connection there is
  EXPECT_THAT(client.notices(), IsEmpty());
}

TEST(WithoutExtensionTest, PlainTransactionsAskNothing) {
  const AgentProcess agent(ConfigFor(1));
  Connection client(agent.To());
  client.Must("SELECT 1");
  Connection watcher(PlainCluster().DirectTo("postgres"));

  client.Must("SELECT 42");

  EXPECT_EQ(watcher.Value("SELECT query FROM pg_stat_activity WHERE usename = 'alice' AND "
                          "backend_type = 'client backend' AND query <> '' ORDER BY pid LIMIT 1"),
            "SELECT 42");
}

}  // namespace
}  // namespace pgvalet::integration

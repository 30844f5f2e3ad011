// The agent from PgBouncer's own files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/ini_agent.h"

namespace pgvalet::integration {
namespace {

using testing::HasSubstr;

std::string Server() { return "host=127.0.0.1 port=" + std::to_string(TheCluster().port()); }

std::string Databases() {
  return "[databases]\n"
         "app = " +
         Server() +
         "\n"
         "forced = " +
         Server() +
         " dbname=app user=bob password='bob_pw' pool_size=3 pool_mode=statement "
         "connect_query='select ''it is quoted'''\n"
         "[users]\nalice = pool_mode=transaction max_user_connections=7\n";
}

// Rows of a table as text, fields by the names of the columns.
using Rows = std::vector<std::map<std::string, std::string>>;

Rows TableOf(const std::string& conninfo, const std::string& sql) {
  Connection console(conninfo);
  PGresult* result = PQexec(console.raw(), sql.c_str());
  Rows rows;
  for (int i = 0; i < PQntuples(result); ++i) {
    std::map<std::string, std::string> row;
    for (int j = 0; j < PQnfields(result); ++j) row[PQfname(result, j)] = PQgetvalue(result, i, j);
    rows.push_back(std::move(row));
  }
  EXPECT_EQ(PQresultStatus(result), PGRES_TUPLES_OK) << sql << ": " << console.error();
  PQclear(result);
  return rows;
}

// The same without some columns.
Rows Without(Rows rows, const std::set<std::string>& columns) {
  for (auto& row : rows) {
    for (const std::string& column : columns) row.erase(column);
  }
  return rows;
}

std::map<std::string, std::string> ConfigOf(const std::string& conninfo,
                                            const std::string& column = "value") {
  std::map<std::string, std::string> config;
  for (const auto& row : TableOf(conninfo, "SHOW CONFIG")) config[row.at("key")] = row.at(column);
  return config;
}

TEST(PgBouncerFileTest, ClientsOfItsDatabasesAreServed) {
  IniAgent agent(Databases());
  ASSERT_TRUE(agent.Start());

  EXPECT_EQ(Connection(agent.To("alice", "app")).Value("SELECT current_user"), "alice");
  Connection forced(agent.To("alice", "forced"));
  EXPECT_EQ(forced.Value("SELECT current_user"), "bob");
  EXPECT_FALSE(Connection(agent.To("alice", "app") + " password=wrong").ok());
  EXPECT_FALSE(Connection(agent.To("alice", "other")).ok());
}

TEST(PgBouncerFileTest, ShowConfigHasPgBouncersDefaults) {
  IniAgent agent(Databases());
  ASSERT_TRUE(agent.Start());
  const auto values = ConfigOf(agent.To("admin", "pgbouncer"));
  const auto defaults = ConfigOf(agent.To("admin", "pgbouncer"), "default");

  EXPECT_EQ(values.at("pool_mode"), "session");
  EXPECT_EQ(values.at("max_client_conn"), "100");
  EXPECT_EQ(values.at("listen_port"), std::to_string(agent.port()));
  EXPECT_EQ(defaults.at("listen_port"), "6432");
  EXPECT_EQ(defaults.at("auth_type"), "md5");
}

TEST(PgBouncerFileTest, SighupReadsItAndWhatItIncludesAgain) {
  IniAgent agent("%include /dev/null\n" + Databases());
  const std::filesystem::path more = agent.Write("more.ini", "default_pool_size = 5\n");
  std::string text = ReadFile(agent.ini());
  text.replace(text.find("/dev/null"), 9, more.string());
  agent.Write("pgbouncer.ini", text);
  ASSERT_TRUE(agent.Start());
  const std::string console = agent.To("admin", "pgbouncer");
  ASSERT_EQ(ConfigOf(console).at("default_pool_size"), "5");

  agent.Write("more.ini", "default_pool_size = 6\n");
  agent.child().Signal(SIGHUP);

  EXPECT_TRUE(Eventually([&] { return ConfigOf(console).at("default_pool_size") == "6"; }));
}

TEST(PgBouncerFileTest, TrustLetsInOnlyUsersOfAuthFile) {
  IniAgent agent("auth_type = trust\n" + Databases());
  ASSERT_TRUE(agent.Start());

  EXPECT_TRUE(Connection(agent.To("alice", "app") + " password=none").ok());
  const Connection stranger(agent.To("scram_user", "forced"));
  EXPECT_FALSE(stranger.ok());
}

TEST(PgBouncerFileTest, FileAsDebianInstallsItRuns) {
  IniAgent agent(
      "auth_type = md5\nserver_tls_sslmode = disable\n;pool_mode = session\n\n[databases]\n\n;; "
      "foo "
      "= dbname=bar\n[users]\n");

  EXPECT_TRUE(agent.Start());
}

TEST(PgBouncerFileTest, ImportedFileMeansTheSame) {
  IniAgent agent("max_client_conn = 55\nserver_lifetime = 0.5\nquery_timeout = 12\n" + Databases() +
                 "[pgvalet]\ncores = 2\n");
  const std::filesystem::path toml = agent.home() / "imported.toml";
  ASSERT_EQ(agent.Run(CommandLineProgram(), {"import", "INI", "-o", toml.string()}), 0)
      << agent.log();
  const std::string console = agent.To("admin", "pgbouncer");
  const std::vector<std::pair<const char*, std::set<std::string>>> tables = {
      {"SHOW CONFIG", {"default"}}, {"SHOW DATABASES", {}}, {"SHOW USERS", {}}};

  ASSERT_TRUE(agent.Start());
  std::vector<Rows> from_ini;
  for (const auto& [sql, left_out] : tables) {
    from_ini.push_back(Without(TableOf(console, sql), left_out));
  }
  agent.Stop();
  agent.Write("log", "");
  ASSERT_TRUE(agent.Start(AgentProgram(), {"--config", toml.string()}));

  for (std::size_t i = 0; i < tables.size(); ++i) {
    EXPECT_EQ(from_ini[i], Without(TableOf(console, tables[i].first), tables[i].second))
        << tables[i].first;
  }
  EXPECT_EQ(Connection(agent.To("alice", "forced")).Value("SELECT current_user"), "bob");
}

TEST(PgBouncerFileTest, ImportTellsWhatDiffersAndKeepsItsFileToItsOwner) {
  IniAgent agent("pkt_buf = 8192\n" + Databases());
  const std::filesystem::path toml = agent.home() / "imported.toml";

  EXPECT_EQ(agent.Run(CommandLineProgram(), {"import", "INI", "--output", toml.string()}), 0);

  EXPECT_THAT(agent.log(), HasSubstr("pkt_buf: ignored: "));
  EXPECT_THAT(ReadFile(toml), HasSubstr("bob_pw"));
  EXPECT_EQ(std::filesystem::status(toml).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(PgBouncerFileTest, ImportOfAFileWithMistakesTellsThemAllAndWritesNothing) {
  IniAgent agent("listen_prt = 1\nauth_type = ldap\n" + Databases());
  const std::filesystem::path toml = agent.home() / "imported.toml";

  EXPECT_EQ(agent.Run(CommandLineProgram(), {"import", "INI", "-o", toml.string()}), 1);
  EXPECT_EQ(agent.Run(CommandLineProgram(), {"import"}), 2);
  EXPECT_EQ(agent.Run(CommandLineProgram(), {"import", "/nowhere.ini"}), 1);

  EXPECT_THAT(agent.log(), HasSubstr("did you mean listen_port?"));
  EXPECT_THAT(agent.log(), HasSubstr("the login method ldap is not there"));
  EXPECT_FALSE(std::filesystem::exists(toml));
}

// ---- beside PgBouncer itself, where it is installed ----

// Both of them, one after the other, from the same file.
struct Both {
  Rows theirs;
  Rows ours;
};

class BesidePgBouncerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (RealPgBouncer().empty()) GTEST_SKIP() << "PgBouncer is not installed";
  }
  // The common columns of a table, rows of both.
  static Both Compare(IniAgent& agent, const std::string& sql) {
    Both both;
    EXPECT_TRUE(agent.Start(RealPgBouncer(), {"INI"})) << agent.log();
    both.theirs = TableOf(agent.To("admin", "pgbouncer"), sql);
    agent.Stop();
    agent.Write("log", "");
    EXPECT_TRUE(agent.Start(PgBouncerLink(), {"INI"})) << agent.log();
    both.ours = TableOf(agent.To("admin", "pgbouncer"), sql);
    return both;
  }
};

TEST_F(BesidePgBouncerTest, ShowDatabasesHasItsValues) {
  IniAgent agent("default_pool_size = 9\nreserve_pool_size = 2\n" + Databases() +
                 "[databases]\nlocal = dbname=x\nmore = host=a,b port=77 max_db_connections=4\n");
  Both both = Compare(agent, "SHOW DATABASES");

  ASSERT_EQ(both.ours.size(), both.theirs.size());
  for (std::size_t i = 0; i < both.ours.size(); ++i) {
    for (const auto& [column, value] : both.theirs[i]) {
      // Its name of the column before 1.23; a host that is not said is the socket's directory.
      const std::string name = column == "reserve_pool" ? "reserve_pool_size" : column;
      if (column == "load_balance_hosts") continue;  // ours are tried in order
      if (column == "host" && value.empty()) continue;
      EXPECT_EQ(both.ours[i].at(name), value) << both.theirs[i].at("name") << ": " << column;
    }
  }
}

TEST_F(BesidePgBouncerTest, ShowConfigHasItsValues) {
  IniAgent agent("query_wait_timeout = 3\nserver_idle_timeout = 1.5\nlog_stats = 0\n" +
                 Databases());
  const Both both = Compare(agent, "SHOW CONFIG");
  std::map<std::string, std::string> ours;
  for (const auto& row : both.ours) ours[row.at("key")] = row.at("value");

  // Ours are other words for the same, but for the check, which was SELECT 1 before 1.25.
  const std::set<std::string> differ = {"server_check_query", "auth_query", "unix_socket_mode"};
  int compared = 0;
  for (const auto& row : both.theirs) {
    const auto found = ours.find(row.at("key"));
    if (found == ours.end() || differ.contains(row.at("key"))) continue;
    ++compared;
    EXPECT_EQ(found->second, row.at("value")) << row.at("key");
  }
  EXPECT_GT(compared, 40);
}

}  // namespace
}  // namespace pgvalet::integration

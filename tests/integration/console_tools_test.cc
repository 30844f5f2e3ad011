// Tools made for PgBouncer's console, as Debian packages them, against ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct ConsoleToolsTest : testing::Test {
  static AgentConfig Config() {
    AgentConfig config;
    config.Set("admin_users", "[\"admin\"]").Set("max_client_conn", "200");
    return config;
  }

  // What the program prints; its status is in `status`.
  std::string Run(std::vector<std::string> argv) {
    const std::filesystem::path log = agent.home() / "tool.log";
    std::filesystem::remove(log);
    status = RunToEnd({.argv = std::move(argv),
                       .log = log,
                       .as_server_user = false,
                       .environment = {"PGPASSWORD=none"}});
    return ReadFile(log);
  }
  std::string Check(const std::string& action, const std::string& warning,
                    const std::string& critical) {
    std::vector<std::string> argv = {
        "/usr/bin/check_postgres", "--action=" + action,
        "--host=127.0.0.1",        "--port=" + std::to_string(agent.port()),
        "--dbuser=admin",          "--critical=" + critical};
    if (!warning.empty()) argv.push_back("--warning=" + warning);
    return Run(argv);
  }
  std::string Psql(std::vector<std::string> more) {
    std::vector<std::string> argv = {(TheCluster().bin_dir() / "psql").string(), "-XAtqh127.0.0.1",
                                     "-p" + std::to_string(agent.port()), "-Uadmin", "pgbouncer"};
    argv.insert(argv.end(), more.begin(), more.end());
    return Run(argv);
  }

  AgentProcess agent{Config()};
  int status = -1;
};

TEST_F(ConsoleToolsTest, CheckPostgresReadsPoolsAndLimits) {
  if (!std::filesystem::exists("/usr/bin/check_postgres")) GTEST_SKIP() << "not installed";
  Connection client(agent.To());
  client.Must("BEGIN");
  Connection other(agent.To());
  other.Must("SELECT 1");

  for (const char* state : {"sv_idle", "sv_used", "sv_tested", "sv_login", "cl_waiting"}) {
    EXPECT_THAT(Check("pgb_pool_" + std::string(state), "5", "10"),
                AllOf(HasSubstr(" OK: "), HasSubstr("app=")))
        << state;
    EXPECT_EQ(status, 0) << state;
  }
  EXPECT_THAT(Check("pgb_pool_maxwait", "5", "10"), HasSubstr("POSTGRES_PGB_POOL_MAXWAIT OK"));
  EXPECT_THAT(Check("pgb_pool_sv_active", "1", "2"), HasSubstr("app=1"));
  EXPECT_THAT(Check("pgbouncer_backends", "90%", "95%"),
              AllOf(HasSubstr(" OK: "), HasSubstr(" of 200 connections")));
  const std::string changed = Check("pgbouncer_checksum", "", std::string(32, '0'));
  const std::size_t at = changed.find("checksum: ");
  ASSERT_NE(at, std::string::npos) << changed;
  EXPECT_THAT(Check("pgbouncer_checksum", "", changed.substr(at + 10, 32)), HasSubstr(" OK: "));
}

TEST_F(ConsoleToolsTest, PsqlScriptPausesLooksAndResumes) {
  Connection client(agent.To());
  client.Must("SELECT 1");
  const std::filesystem::path script = agent.home() / "script.sql";
  WriteFile(script,
            "PAUSE app;\nSHOW STATE;\nSELECT version \\gset\nRESUME app;\n\\echo :version\n"
            "SUSPEND;\nRESUME;\nSHOW DATABASES;\n");

  const std::string said = Psql({"-vON_ERROR_STOP=1", "-f", script.string()});

  EXPECT_EQ(status, 0) << said;
  EXPECT_THAT(said, HasSubstr("active|yes\npaused|no\nsuspended|no\nPgBouncer 1."));
  EXPECT_THAT(said, HasSubstr("\npgbouncer||"));
}

}  // namespace
}  // namespace pgvalet::integration

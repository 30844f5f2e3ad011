// What a client asked for at startup, or set since, holds for it on whichever
// backend serves it, and for nobody else.  Pools of one make them share.
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

struct Wish {
  std::string name;      // of the test
  std::string conninfo;  // added to a connection string
  std::string query;     // tells whether it was honoured
};

std::ostream& operator<<(std::ostream& out, const Wish& wish) { return out << wish.conninfo; }

class EveryWish : public testing::TestWithParam<Wish> {};

TEST_P(EveryWish, IsHonouredForThisClientAndNotForTheNext) {
  AgentConfig config;
  config.Set("default_pool_size", "1");
  const AgentProcess agent(config);
  const std::string direct = TheCluster().DirectTo("alice");
  const std::string wanted = Connection(direct + GetParam().conninfo).Value(GetParam().query);
  const std::string usual = Connection(direct).Value(GetParam().query);
  ASSERT_NE(wanted, usual);

  Connection plain(agent.To());
  Connection special(agent.To() + GetParam().conninfo);
  ASSERT_TRUE(special.ok()) << special.error();

  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(special.Value(GetParam().query), wanted);
    EXPECT_EQ(plain.Value(GetParam().query), usual);
  }
}

INSTANTIATE_TEST_SUITE_P(
    StartupParameterTest, EveryWish,
    testing::Values(
        Wish{"ClientEncoding", " client_encoding=LATIN1", "SHOW client_encoding"},
        Wish{"TimeZone", " options='-c timezone=Asia/Tokyo'", "SHOW timezone"},
        Wish{"ApplicationName", " application_name=reports", "SHOW application_name"},
        Wish{"DateStyle", " options='-c datestyle=SQL,DMY'", "SELECT '2024-01-02'::date"},
        Wish{"ExtraFloatDigits", " options='-c extra_float_digits=-5'", "SELECT 1.0::float8 / 3"},
        Wish{"IntervalStyle", " options='-c intervalstyle=iso_8601'", "SELECT interval '1 day'"},
        Wish{"StatementTimeout", " options='-c statement_timeout=12345'", "SHOW statement_timeout"},
        Wish{"SearchPath", " options='-csearch_path=pg_catalog'", "SHOW search_path"},
        Wish{"SeveralOptions", " options='-c work_mem=9MB --geqo=off'",
             "SELECT current_setting('work_mem') || current_setting('geqo')"},
        Wish{"EscapedBlankInOptions", " options='-c application_name=two\\\\ words'",
             "SHOW application_name"}),
    [](const auto& test) { return test.param.name; });

TEST(SessionSettingTest, ReportedOneThatAClientSetsStaysWithThatClient) {
  AgentConfig config;
  config.Set("default_pool_size", "1");
  const AgentProcess agent(config);
  Connection setter(agent.To()), other(agent.To());

  setter.Must("SET timezone = 'America/New_York'");
  setter.Must("SET application_name = 'renamed'");

  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(other.Value("SHOW timezone"), "UTC");
    EXPECT_EQ(setter.Value("SHOW timezone"), "America/New_York");
    EXPECT_EQ(setter.Value("SHOW application_name"), "renamed");
    EXPECT_NE(other.Value("SHOW application_name"), "renamed");
  }
}

TEST(SessionSettingTest, RolledBackOneIsForgotten) {
  AgentConfig config;
  config.Set("default_pool_size", "1");
  const AgentProcess agent(config);
  Connection client(agent.To());

  client.Must("BEGIN");
  client.Must("SET timezone = 'America/New_York'");
  client.Must("ROLLBACK");

  EXPECT_EQ(client.Value("SHOW timezone"), "UTC");
}

TEST(SessionSettingTest, WrongStartupValueIsRefusedAsByTheServer) {
  const AgentProcess agent;
  const std::string wrong = " options='-c timezone=Nowhere/Land'";

  Connection direct(TheCluster().DirectTo("alice") + wrong);
  Connection pooled(agent.To() + wrong);

  EXPECT_FALSE(direct.ok());
  EXPECT_FALSE(pooled.ok() && pooled.Query("SELECT 1").ok());
  EXPECT_EQ(Connection(agent.To()).Value("SELECT 1"), "1");
}

TEST(ApplicationNameTest, HostIsAddedWhenAskedFor) {
  AgentConfig config;
  config.Set("application_name_add_host", "true");
  const AgentProcess agent(config);

  Connection client(agent.To() + " application_name=reports");

  EXPECT_EQ(client.Value("SHOW application_name").rfind("reports - 127.0.0.1:", 0), 0u);
}

}  // namespace
}  // namespace pgvalet::integration

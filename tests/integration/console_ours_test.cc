// What the console shows beyond PgBouncer's tables: pins, sessions, events, alerts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "support/cluster.h"
#include "support/console_test.h"

namespace pgvalet::integration {
namespace {

using testing::HasSubstr;

// Fields of the row in which column `key` is `value`; empty: there is none.
std::map<std::string, std::string> RowWith(Connection& console, const std::string& command,
                                           const std::string& key, const std::string& value) {
  PGresult* result = PQexec(console.raw(), command.c_str());
  std::map<std::string, std::string> found;
  for (int row = 0; row < PQntuples(result) && found.empty(); ++row) {
    if (value != PQgetvalue(result, row, PQfnumber(result, key.c_str()))) continue;
    for (int column = 0; column < PQnfields(result); ++column)
      found[PQfname(result, column)] = PQgetvalue(result, row, column);
  }
  PQclear(result);
  return found;
}

class ConsoleOursTest : public testing::Test {
 protected:
  ConsoleOursTest() {
    AgentConfig config;
    config.Set("admin_users", "[\"admin\"]").Set("snapshot_interval", "0.1");
    config.Set("alert_on_after", "0.1");
    agent = std::make_unique<AgentProcess>(config);
    console = std::make_unique<Connection>(agent->To("admin", "pgvalet"));
  }

  std::string Named(const std::string& application) const {
    return agent->To() + " application_name=" + application;
  }

  std::unique_ptr<AgentProcess> agent;
  std::unique_ptr<Connection> console;
};

TEST_F(ConsoleOursTest, SessionsHaveTheirStateAndAge) {
  Connection idle(Named("lazy"));
  idle.Must("SELECT 1");
  Connection busy(Named("busy"));
  busy.Must("BEGIN");
  const std::string pid = busy.Value("SELECT pg_backend_pid()");

  auto row = RowWith(*console, "SHOW SESSIONS", "application_name", "busy");
  EXPECT_EQ(row["state"], "active");
  EXPECT_EQ(row["server_pid"], pid);
  EXPECT_EQ(row["database"], "app");
  EXPECT_EQ(row["pin_reasons"], "");
  EXPECT_GE(std::stoll(row["age_us"]), std::stoll(row["state_age_us"]));
  row = RowWith(*console, "SHOW SESSIONS", "application_name", "lazy");
  EXPECT_EQ(row["state"], "idle");
  EXPECT_EQ(row["server_pid"], "0");
  // The id is what KILL_CLIENT takes.
  EXPECT_TRUE(console->Query("KILL_CLIENT " + row["id"]).ok());
  EXPECT_EQ(idle.Query("SELECT 1").sqlstate, "57P01");
}

TEST_F(ConsoleOursTest, APinnedSessionSaysWhy) {
  if (!TheCluster().has_extension()) GTEST_SKIP() << "only the extension knows";
  Connection client(Named("pinned"));
  client.Must("CREATE TEMP TABLE t (a int)");
  EXPECT_TRUE(Eventually([&] {
    auto row = RowWith(*console, "SHOW SESSIONS", "application_name", "pinned");
    return row["state"] == "pinned" && row["pin_reasons"] == "temporary_objects";
  }));
  EXPECT_EQ(RowWith(*console, "SHOW PINS", "application_name", "pinned")["reasons"],
            "temporary_objects");
}

TEST_F(ConsoleOursTest, EventsAreShownInTheirOrder) {
  Connection client(agent->To());
  ASSERT_TRUE(console->Query("DISABLE app").ok());
  ASSERT_TRUE(console->Query("ENABLE app").ok());
  const Answer events = console->Query("SHOW EVENTS");
  ASSERT_FALSE(events.rows.empty());
  EXPECT_EQ(events.rows.front()[0], "1");
  EXPECT_FALSE(RowWith(*console, "SHOW EVENTS", "kind", "agent_started").empty());
  auto row = RowWith(*console, "SHOW EVENTS", "kind", "disabled");
  EXPECT_EQ(row["database"], "app");
  EXPECT_EQ(row["source"], "agent");
  EXPECT_THAT(row["at"], testing::MatchesRegex("20..-..-.. ..:..:..\\.......\\+00"));
}

TEST_F(ConsoleOursTest, AlertsSayWhatToDo) {
  ASSERT_TRUE(console->Query("SET default_pool_size = 1").ok());
  Connection busy(agent->To());
  busy.Must("BEGIN");
  Connection waiting(agent->To());
  waiting.Send("SELECT 1");
  std::map<std::string, std::string> row;
  EXPECT_TRUE(Eventually([&] {
    row = RowWith(*console, "SHOW ALERTS", "name", "pool_utilization");
    return !row.empty();
  }));
  EXPECT_EQ(row["component"], "pool app/alice");
  EXPECT_THAT(row["recommendation"], HasSubstr("pool_size"));
  busy.Must("COMMIT");
  EXPECT_TRUE(waiting.Collect().ok());
}

TEST_F(ConsoleOursTest, HelpNamesWhatOnlyWeShow) {
  EXPECT_TRUE(console->Query("SHOW HELP").ok());
  EXPECT_THAT(console->notices(), testing::Contains(HasSubstr("SHOW ALERTS|EVENTS|PINS|SESSIONS")));
}

}  // namespace
}  // namespace pgvalet::integration

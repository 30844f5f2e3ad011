// SUSPEND: nothing is read until RESUME, and what was read has been sent.  And: who clients are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <string>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

using testing::HasSubstr;

struct SuspendTest : testing::Test {
  static AgentConfig Config() {
    AgentConfig config;
    config.Set("admin_users", "[\"admin\"]").Set("suspend_timeout", "1");
    config.Database("forced", "host=127.0.0.1 port=" + std::to_string(TheCluster().port()) +
                                  " dbname=app user=bob password=bob_pw");
    return config;
  }
  std::string State(int row) { return *console.Query("SHOW STATE").rows[row][1]; }
  bool IsSuspended() { return State(2) == "yes"; }
  // The state of the only client of this database.
  std::string ClientOf(const std::string& database, std::size_t column) {
    for (const auto& row : console.Query("SHOW CLIENTS").rows) {
      if (*row[2] == database) return *row[column];
    }
    return "(none)";
  }

  AgentProcess agent{Config()};
  Connection console{agent.To("admin", "pgbouncer")};
};

TEST_F(SuspendTest, ClientsAreServedAfterResumeWhatTheyAskedMeanwhile) {
  Connection idle(agent.To()), busy(agent.To()), server(TheCluster().DirectTo("alice"));
  server.Must("CREATE TABLE suspended (n int)");
  idle.Must("SELECT 1");
  busy.Must("BEGIN");

  console.Must("SUSPEND");
  idle.Send("INSERT INTO suspended VALUES (1)");
  busy.Send("INSERT INTO suspended VALUES (2)");
  EXPECT_TRUE(IsSuspended());
  EXPECT_EQ(State(0), "no");
  EXPECT_EQ(server.Value("SELECT count(*) FROM suspended"), "0");
  console.Must("RESUME");

  EXPECT_EQ(idle.Collect().tag, "INSERT 0 1");
  EXPECT_EQ(busy.Collect().tag, "INSERT 0 1");
  EXPECT_EQ(busy.Value("SELECT count(*) FROM suspended"), "2");
  busy.Must("COMMIT");
  EXPECT_FALSE(IsSuspended());
  server.Must("DROP TABLE suspended");
}

TEST_F(SuspendTest, AnswerThatComesMeanwhileIsReadAfterResume) {
  Connection client(agent.To());
  client.Send("SELECT pg_sleep(0.1), 'late'");
  ASSERT_TRUE(Eventually([&] { return ClientOf("app", 4) == "active"; }));

  console.Must("SUSPEND");
  console.Must("RESUME");

  EXPECT_TRUE(client.Collect().ok());
}

TEST_F(SuspendTest, ClientThatDoesNotReadIsEndedAfterSuspendTimeout) {
  Connection lazy(agent.To());
  PQsendQuery(lazy.raw(), "SELECT repeat('x', 1000) FROM generate_series(1, 100000)");
  // Nobody reads: sooner or later the agent holds what it cannot send.
  const int column = 25;  // send_remain is behind the 21 of CLIENTS and the three positions
  const auto unsent = [&] {
    for (const auto& row : console.Query("SHOW SOCKETS").rows) {
      if (*row[2] == "app" && *row[0] == "C" && *row[column] != "0") return true;
    }
    return false;
  };
  ASSERT_TRUE(Eventually(unsent));

  const Answer suspended = console.Query("SUSPEND");

  EXPECT_TRUE(suspended.ok()) << suspended.message;
  // Written by the log's own thread.
  EXPECT_TRUE(
      Eventually([&] { return agent.log().find("reason=suspend_timeout") != std::string::npos; }));
  console.Must("RESUME");
}

TEST_F(SuspendTest, MakesNoSenseTwiceNorTogetherWithPause) {
  console.Must("SUSPEND");
  EXPECT_THAT(console.Query("SUSPEND").message, HasSubstr("already suspended"));
  EXPECT_THAT(console.Query("PAUSE").message, HasSubstr("already suspended"));
  console.Must("RESUME");
  console.Must("PAUSE");
  EXPECT_THAT(console.Query("SUSPEND").message, HasSubstr("already paused"));
  console.Must("RESUME");
}

TEST_F(SuspendTest, UserWithoutAdminRightsMayNot) {
  AgentConfig config = Config();
  config.Set("stats_users", "[\"viewer\"]");
  AgentProcess other(config);
  Connection viewer(other.To("viewer", "pgbouncer"));

  EXPECT_EQ(viewer.Query("SUSPEND").sqlstate, "42501");
}

TEST_F(SuspendTest, PauseThatAnotherAdministratorEndsComesBack) {
  Connection holder(agent.To()), other(agent.To("admin", "pgbouncer"));
  holder.Must("BEGIN");
  console.Send("PAUSE");
  ASSERT_TRUE(Eventually([&] { return *other.Query("SHOW STATE").rows[1][1] == "yes"; }));

  other.Must("RESUME");

  EXPECT_THAT(console.Collect().message, HasSubstr("called off"));
}

TEST_F(SuspendTest, ClientOfAForcedUserIsShownByItsOwnLoginName) {
  Connection client(agent.To("alice", "forced"));
  ASSERT_EQ(client.Value("SELECT current_user"), "bob");

  EXPECT_EQ(ClientOf("forced", 1), "alice");
  const Answer servers = console.Query("SHOW SERVERS");
  ASSERT_EQ(servers.rows.size(), 1U);
  EXPECT_EQ(servers.rows[0][1], "bob");
  EXPECT_TRUE(Eventually(
      [&] { return agent.log().find("database=forced user=alice") != std::string::npos; }));
}

}  // namespace
}  // namespace pgvalet::integration

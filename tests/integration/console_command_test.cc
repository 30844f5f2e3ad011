// What administrators do to databases and clients at the console.
#include <gtest/gtest.h>

#include <string>

#include "support/console_test.h"

namespace pgvalet::integration {
namespace {

TEST_F(ConsoleTest, PauseWaitsForTransactionsAndHoldsRequestsUntilResume) {
  Connection busy(agent.To());
  Connection other(agent.To());
  busy.Must("BEGIN");
  ASSERT_TRUE(console.Send("PAUSE app"));
  Connection second(agent.To("admin", "pgbouncer"));
  EXPECT_TRUE(Eventually([&] {
    return second.Query("SHOW DATABASES").rows.size() > 1 &&
           FieldOf(second, "SHOW DATABASES", "app", "paused") == "1";
  }));
  ASSERT_TRUE(other.Send("SELECT 'served'"));
  EXPECT_TRUE(
      Eventually([&] { return FieldOf(second, "SHOW POOLS", "app", "cl_waiting") == "1"; }));

  busy.Must("COMMIT");
  EXPECT_EQ(console.Collect().tag, "PAUSE");
  EXPECT_EQ(second.Query("SHOW SERVERS").rows.size(), 0u);
  Connection direct(TheCluster().DirectTo("postgres"));
  EXPECT_TRUE(Eventually([&] {
    return direct.Value(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = 'app' AND "
               "pid <> pg_backend_pid()") == "0";
  }));

  EXPECT_EQ(console.Query("RESUME app").tag, "RESUME");
  EXPECT_EQ(other.Collect().value(), "served");
}

TEST_F(ConsoleTest, PauseThatIsCancelledIsCalledOff) {
  Connection busy(agent.To());
  busy.Must("BEGIN");
  ASSERT_TRUE(console.Send("PAUSE"));
  Connection second(agent.To("admin", "pgbouncer"));
  ASSERT_TRUE(
      Eventually([&] { return FieldOf(second, "SHOW STATE", "paused", "value") == "yes"; }));

  EXPECT_TRUE(console.Cancel());

  EXPECT_EQ(console.Collect().sqlstate, "57014");
  EXPECT_EQ(FieldOf(second, "SHOW STATE", "paused", "value"), "no");
  busy.Must("COMMIT");
}

TEST_F(ConsoleTest, PauseOfAnAdministratorWhoLeavesIsCalledOff) {
  Connection busy(agent.To());
  busy.Must("BEGIN");
  {
    Connection gone(agent.To("admin", "pgbouncer"));
    ASSERT_TRUE(gone.Send("PAUSE"));
    ASSERT_TRUE(Eventually([&] { return Field("SHOW STATE", "paused", "value") == "yes"; }));
    gone.Kill();
  }
  EXPECT_TRUE(Eventually([&] { return Field("SHOW STATE", "paused", "value") == "no"; }));
  busy.Must("COMMIT");
}

TEST_F(ConsoleTest, DisabledDatabaseLetsNobodyNewIn) {
  Connection client(agent.To());
  EXPECT_EQ(console.Query("DISABLE app").tag, "DISABLE");

  Connection late(agent.To());
  EXPECT_NE(late.error().find("disabled"), std::string::npos) << late.error();
  EXPECT_EQ(client.Value("SELECT 'stays'"), "stays");
  EXPECT_EQ(console.Query("ENABLE app").tag, "ENABLE");
  EXPECT_TRUE(Connection(agent.To()).ok());
}

TEST_F(ConsoleTest, ReconnectReplacesServerConnections) {
  Connection client(agent.To());
  const std::string before = client.Value("SELECT pg_backend_pid()");

  EXPECT_EQ(console.Query("RECONNECT app").tag, "RECONNECT");
  EXPECT_EQ(console.Query("WAIT_CLOSE app").tag, "WAIT_CLOSE");

  EXPECT_NE(client.Value("SELECT pg_backend_pid()"), before);
}

TEST_F(ConsoleTest, WaitCloseWaitsForTheTransactionThatIsInTheWay) {
  Connection busy(agent.To());
  busy.Must("BEGIN");
  EXPECT_TRUE(console.Query("RECONNECT").ok());
  ASSERT_TRUE(console.Send("WAIT_CLOSE"));
  Connection second(agent.To("admin", "pgbouncer"));
  EXPECT_EQ(FieldOf(second, "SHOW SERVERS", "S", "close_needed"), "1");

  busy.Must("COMMIT");

  EXPECT_EQ(console.Collect().tag, "WAIT_CLOSE");
}

TEST_F(ConsoleTest, KillEndsClientsAndHoldsNewOnesUntilResume) {
  Connection client(agent.To());
  client.Must("BEGIN");

  EXPECT_EQ(console.Query("KILL app").tag, "KILL");

  EXPECT_EQ(client.Query("SELECT 1").sqlstate, "57P01");
  EXPECT_EQ(console.Query("SHOW SERVERS").rows.size(), 0u);
  EXPECT_TRUE(console.ok());
  EXPECT_EQ(console.Query("RESUME app").tag, "RESUME");
  EXPECT_EQ(Connection(agent.To()).Value("SELECT 'again'"), "again");
}

TEST_F(ConsoleTest, KillClientEndsOne) {
  Connection client(agent.To());
  client.Must("SELECT 1");

  EXPECT_EQ(console.Query("KILL_CLIENT " + OnlyClient()).tag, "KILL_CLIENT");

  EXPECT_EQ(client.Query("SELECT 1").sqlstate, "57P01");
  EXPECT_EQ(console.Query("KILL_CLIENT 999999").sqlstate, "42704");
  EXPECT_FALSE(console.Query("KILL_CLIENT x").ok());
}

}  // namespace
}  // namespace pgvalet::integration

// Logging in: every client method with every server method, and the ways it fails.
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

constexpr const char* kPlaintextUsers =
    "\"alice\" \"alice_pw\"\n"
    "\"scram_user\" \"scram_user_pw\"\n"
    "\"md5_user\" \"md5_user_pw\"\n"
    "\"plain_user\" \"plain_user_pw\"\n";

AgentConfig WithLogin(const std::string& auth_type) {
  AgentConfig config;
  config.SetText("auth_type", auth_type).UserList(kPlaintextUsers);
  return config;
}

std::string SecretOf(const std::string& role) {
  return Connection(TheCluster().DirectTo("postgres"))
      .Value("SELECT rolpassword FROM pg_authid WHERE rolname = '" + role + "'");
}

std::string WithPassword(const AgentProcess& agent, const std::string& user,
                         const std::string& password) {
  return "host=127.0.0.1 port=" + std::to_string(agent.port()) + " dbname=app user=" + user +
         " password=" + password;
}

class EveryLogin : public testing::TestWithParam<std::string> {};

TEST_P(EveryLogin, OpensEveryKindOfServerLogin) {
  const AgentProcess agent(WithLogin(GetParam()));

  for (const std::string user : {"alice", "scram_user", "md5_user", "plain_user"}) {
    Connection client(agent.To(user));
    EXPECT_TRUE(client.ok()) << user << ": " << client.error();
    EXPECT_EQ(client.Value("SELECT current_user"), user);
  }
}

INSTANTIATE_TEST_SUITE_P(LoginTest, EveryLogin,
                         testing::Values("trust", "scram-sha-256", "md5", "plain"),
                         [](const auto& test) {
                           return test.param == "scram-sha-256" ? "scram" : test.param;
                         });

class EveryPassword : public testing::TestWithParam<std::string> {};

TEST_P(EveryPassword, WrongOneIsRefusedWith28P01AndNothingElseIsSaid) {
  const AgentProcess agent(WithLogin(GetParam()));

  Connection wrong(WithPassword(agent, "alice", "not_alices"));
  Connection unknown(WithPassword(agent, "nobody_here", "x"));
  Connection right(agent.To("alice"));

  EXPECT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().find("password authentication failed"), std::string::npos)
      << wrong.error();
  EXPECT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().find("password authentication failed"), std::string::npos)
      << unknown.error();
  EXPECT_TRUE(right.ok()) << right.error();
}

INSTANTIATE_TEST_SUITE_P(LoginTest, EveryPassword, testing::Values("scram-sha-256", "md5", "plain"),
                         [](const auto& test) {
                           return test.param == "scram-sha-256" ? "scram" : test.param;
                         });

TEST(LoginTest, UnknownRoleGetsTheServersOwnError) {
  const AgentProcess agent;

  RawClient pooled(agent.port());
  pooled.Send(StartupPacket({"user", "no_such_role", "database", "app"}));
  const RawMessage said = First(pooled.ReadToEnd(), 'E');
  RawClient direct(TheCluster().port());
  direct.Send(StartupPacket({"user", "no_such_role", "database", "app"}));
  const RawMessage expected = First(direct.ReadToEnd(), 'E');

  EXPECT_EQ(said.Field('C'), expected.Field('C'));
  EXPECT_EQ(said.Field('M'), expected.Field('M'));
}

TEST(LoginTest, UnknownDatabaseGetsTheServersOwnError) {
  const AgentProcess agent;

  RawClient pooled(agent.port());
  pooled.Send(StartupPacket({"user", "alice", "database", "no_such_database"}));
  const RawMessage said = First(pooled.ReadToEnd(), 'E');

  EXPECT_EQ(said.Field('S'), "FATAL");
  EXPECT_EQ(said.Field('C'), "3D000");
  EXPECT_EQ(said.Field('M'), "database \"no_such_database\" does not exist");
}

TEST(LoginTest, DatabaseThatIsNotConfiguredIsRefusedWith3D000) {
  AgentConfig config;
  config.NoFallbackDatabase().Database(
      "app", "host=127.0.0.1 port=" + std::to_string(TheCluster().port()));
  const AgentProcess agent(config);

  RawClient client(agent.port());
  client.Send(StartupPacket({"user", "alice", "database", "postgres"}));

  EXPECT_EQ(First(client.ReadToEnd(), 'E').Field('C'), "3D000");
  EXPECT_EQ(Connection(agent.To()).Value("SELECT 1"), "1");
}

TEST(LoginTest, ClientsProofOpensTheServerAndNoPlaintextIsKept) {
  AgentConfig config;
  config.SetText("auth_type", "scram-sha-256")
      .UserList("\"scram_user\" \"" + SecretOf("scram_user") + "\"\n");
  const AgentProcess agent(config);

  Connection first(agent.To("scram_user"));
  Connection second(agent.To("scram_user"));
  Connection wrong(WithPassword(agent, "scram_user", "guess"));

  EXPECT_EQ(first.Value("SELECT current_user"), "scram_user");
  EXPECT_EQ(second.Value("SELECT current_user"), "scram_user");
  EXPECT_FALSE(wrong.ok());
  EXPECT_EQ(ReadFile(agent.home() / "userlist.txt").find("scram_user_pw"), std::string::npos);
  EXPECT_EQ(agent.log().find("scram_user_pw"), std::string::npos);
}

TEST(LoginTest, Md5HashOpensAnMd5Server) {
  AgentConfig config;
  config.SetText("auth_type", "md5").UserList("\"md5_user\" \"" + SecretOf("md5_user") + "\"\n");
  const AgentProcess agent(config);

  EXPECT_EQ(Connection(agent.To("md5_user")).Value("SELECT current_user"), "md5_user");
}

TEST(LoginTest, ServerThatRefusesThePasswordIsReportedToThatClientOnly) {
  AgentConfig config;
  config.UserList("\"scram_user\" \"outdated\"\n\"alice\" \"alice_pw\"\n");
  const AgentProcess agent(config);

  RawClient refused(agent.port());
  refused.Send(StartupPacket({"user", "scram_user", "database", "app"}));
  const RawMessage error = First(refused.ReadToEnd(), 'E');

  EXPECT_EQ(error.Field('C'), "28P01");
  EXPECT_EQ(Connection(agent.To("alice")).Value("SELECT 1"), "1");
}

TEST(LoginTest, ForcedUserOfADatabaseIsUsedOnTheServer) {
  AgentConfig config;
  config.Database("reports", "host=127.0.0.1 port=" + std::to_string(TheCluster().port()) +
                                 " dbname=app user=scram_user password=scram_user_pw");
  const AgentProcess agent(config);

  Connection client(agent.To("bob", "reports"));

  EXPECT_EQ(client.Value("SELECT current_user || ' ' || current_database()"), "scram_user app");
}

AgentConfig WithAuthQuery() {
  AgentConfig config;
  config.SetText("auth_type", "scram-sha-256")
      .SetText("auth_user", "postgres")
      .UserList("\"postgres\" \"postgres_pw\"\n");
  return config;
}

TEST(AuthQueryTest, UserThatNoFileKnowsLogsInWithTheServersSecret) {
  const AgentProcess agent(WithAuthQuery());

  Connection client(agent.To("scram_user"));
  Connection wrong(WithPassword(agent, "scram_user", "guess"));
  Connection unknown(WithPassword(agent, "no_such_role", "x"));

  EXPECT_EQ(client.Value("SELECT current_user"), "scram_user");
  EXPECT_FALSE(wrong.ok());
  EXPECT_NE(unknown.error().find("password authentication failed"), std::string::npos)
      << unknown.error();
}

TEST(AuthQueryTest, ExpiredPasswordIsRefused) {
  const AgentProcess agent(WithAuthQuery());

  Connection client(agent.To("expired_user"));

  EXPECT_FALSE(client.ok());
}

TEST(AuthQueryTest, ClientsSearchPathIsNotUsedToLookUpItsSecret) {
  // A client that could choose the search_path of the look-up would choose its secret.
  Connection admin(TheCluster().DirectTo("postgres"));
  admin.Must(
      "CREATE SCHEMA trap;"
      "CREATE TABLE trap.pg_authid (rolname text, rolpassword text, rolvaliduntil timestamptz,"
      " rolcanlogin bool);"
      "INSERT INTO trap.pg_authid VALUES ('scram_other', 'known', NULL, true);"
      "GRANT ALL ON SCHEMA trap TO PUBLIC; GRANT ALL ON trap.pg_authid TO PUBLIC");
  const AgentProcess agent(WithAuthQuery());

  Connection thief(WithPassword(agent, "scram_other", "known") + " options='-csearch_path=trap'");
  const bool let_in = thief.ok();
  admin.Must("DROP SCHEMA trap CASCADE");

  EXPECT_FALSE(let_in);
}

}  // namespace
}  // namespace pgvalet::integration

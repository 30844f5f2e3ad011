// The process: signals, configuration mistakes, listeners.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <string>
#include <thread>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

bool Refuses(int port) {
  try {
    RawClient probe(port);
    probe.Send(StartupPacket({"user", "alice", "database", "app"}));
    return First(probe.ReadUntil('Z'), 'Z').type != 'Z';
  } catch (const std::system_error&) {
    return true;
  }
}

std::string ServerAddress() { return "host=127.0.0.1 port=" + std::to_string(TheCluster().port()); }

TEST(ReloadTest, SighupBringsANewDatabaseAndKeepsClients) {
  AgentConfig config;
  config.NoFallbackDatabase().Database("app", ServerAddress());
  AgentProcess agent(config);
  Connection client(agent.To());
  client.Must("BEGIN");
  EXPECT_FALSE(Connection(agent.To("alice", "more")).ok());

  config.Database("more", ServerAddress() + " dbname=postgres");
  agent.Reload(config);

  EXPECT_TRUE(Eventually([&] { return Connection(agent.To("alice", "more")).ok(); }));
  EXPECT_EQ(client.Value("SELECT 'still here'"), "still here");
}

TEST(ReloadTest, MistakeIsLoggedWithItsPlaceAndTheOldSettingsStay) {
  AgentConfig config;
  AgentProcess agent(config);
  ASSERT_EQ(Connection(agent.To()).Value("SELECT 1"), "1");

  agent.ReloadText("default_pool_size = \"many\"\n" + config.ToToml(agent.home()));

  EXPECT_TRUE(
      Eventually([&] { return agent.log().find("default_pool_size") != std::string::npos; }));
  EXPECT_NE(agent.log().find("pgvalet.toml:1"), std::string::npos);
  EXPECT_TRUE(agent.Running());
  EXPECT_EQ(Connection(agent.To()).Value("SELECT 1"), "1");
}

TEST(ReloadTest, ChangedUserListIsRead) {
  AgentConfig config;
  config.SetText("auth_type", "plain").UserList("\"alice\" \"alice_pw\"\n");
  AgentProcess agent(config);
  ASSERT_TRUE(Connection(agent.To()).ok());
  ASSERT_FALSE(Connection(agent.To("bob")).ok());

  config.UserList("\"alice\" \"alice_pw\"\n\"bob\" \"bob_pw\"\n");
  agent.Reload(config);

  EXPECT_TRUE(Eventually([&] { return Connection(agent.To("bob")).ok(); }));
}

TEST(SignalTest, SigtermTakesNoNewClientsAndWaitsForThoseThere) {
  AgentProcess agent;
  auto client = std::make_unique<Connection>(agent.To());
  client->Must("BEGIN");

  agent.Signal(SIGTERM);

  EXPECT_TRUE(Eventually([&] { return Refuses(agent.port()); }));
  EXPECT_EQ(client->Value("SELECT 'still served'"), "still served");
  client->Must("COMMIT");
  client.reset();
  EXPECT_EQ(agent.WaitForExit(), 0);
}

TEST(SignalTest, SigintLetsTransactionsFinishAndThenEnds) {
  AgentProcess agent;
  Connection busy(agent.To()), idle(agent.To());
  idle.Must("SELECT 1");
  busy.Must("BEGIN");

  agent.Signal(SIGINT);

  EXPECT_TRUE(Eventually([&] { return Refuses(agent.port()); }));
  EXPECT_EQ(busy.Value("SELECT 'may finish'"), "may finish");
  EXPECT_EQ(busy.Query("COMMIT").tag, "COMMIT");
  EXPECT_EQ(agent.WaitForExit(), 0);
}

TEST(SignalTest, SigquitEndsAtOnce) {
  AgentProcess agent;
  Connection client(agent.To());
  client.Must("BEGIN");

  agent.Signal(SIGQUIT);

  EXPECT_TRUE(agent.WaitForExit().has_value());
  EXPECT_FALSE(client.Query("SELECT 1").ok());
}

TEST(SignalTest, SecondSigtermEndsAtOnce) {
  AgentProcess agent;
  Connection client(agent.To());
  client.Must("BEGIN");

  agent.Signal(SIGTERM);
  ASSERT_TRUE(Eventually([&] { return Refuses(agent.port()); }));
  agent.Signal(SIGTERM);

  EXPECT_TRUE(agent.WaitForExit().has_value());
}

TEST(SignalTest, ShutdownTimeoutBoundsTheWaitForClients) {
  AgentConfig config;
  config.Set("shutdown_timeout", "1");
  AgentProcess agent(config);
  Connection client(agent.To());
  client.Must("BEGIN");

  agent.Signal(SIGTERM);

  EXPECT_TRUE(agent.WaitForExit().has_value());
}

struct RunResult {
  int status;
  std::string output;
};

RunResult RunAgent(const std::string& toml, const std::vector<std::string>& arguments) {
  const std::filesystem::path home = MakeTemporaryFolder();
  WriteFile(home / "pgvalet.toml", toml);
  std::vector<std::string> argv{AgentProgram(), "--config", home / "pgvalet.toml"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const int status =
      RunToEnd({.argv = argv, .log = home / "out", .as_server_user = false, .environment = {}});
  const std::string output = ReadFile(home / "out");
  std::filesystem::remove_all(home);
  return {status, output};
}

TEST(CheckTest, GoodConfigurationIsPrintedAndExitsWithZero) {
  const RunResult run =
      RunAgent("auth_type = \"trust\"\ndefault_pool_size = 7\n[databases]\n\"*\" = \"host=/tmp\"\n",
               {"--check"});

  EXPECT_EQ(run.status, 0) << run.output;
  EXPECT_NE(run.output.find("default_pool_size = 7"), std::string::npos) << run.output;
}

TEST(CheckTest, MistakeNamesFileLineKeyAndWhatWasExpected) {
  const RunResult run =
      RunAgent("\npool_mode = \"sometimes\"\n[databases]\n\"*\" = \"host=/tmp\"\n", {"--check"});

  EXPECT_NE(run.status, 0);
  EXPECT_NE(run.output.find("pgvalet.toml:2"), std::string::npos) << run.output;
  EXPECT_NE(run.output.find("pool_mode"), std::string::npos) << run.output;
  EXPECT_NE(run.output.find("transaction"), std::string::npos) << run.output;
}

TEST(CheckTest, UnknownKeyIsAMistake) {
  const RunResult run =
      RunAgent("defualt_pool_size = 3\n[databases]\n\"*\" = \"host=/tmp\"\n", {"--check"});

  EXPECT_NE(run.status, 0);
  EXPECT_NE(run.output.find("defualt_pool_size"), std::string::npos) << run.output;
}

std::string LoginsFrom(const std::filesystem::path& user_list) {
  return "auth_file = \"" + user_list.string() + "\"\n[databases]\n\"*\" = \"host=/tmp\"\n";
}

TEST(CheckTest, MistakeInTheUserListIsNotFoundOnlyAtTheStart) {
  const std::filesystem::path home = MakeTemporaryFolder();
  WriteFile(home / "users.txt", "\"alice\" \"her secret\"\nbob\n");

  const RunResult run = RunAgent(LoginsFrom(home / "users.txt"), {"--check"});

  EXPECT_NE(run.status, 0);
  EXPECT_NE(run.output.find("users.txt, line 2"), std::string::npos) << run.output;
  std::filesystem::remove_all(home);
}

TEST(CheckTest, MissingUserListIsAWarning) {
  const RunResult run = RunAgent(LoginsFrom("/nowhere/users.txt"), {"--check"});

  EXPECT_EQ(run.status, 0);
  EXPECT_NE(run.output.find("warning: auth_file cannot be read: /nowhere/users.txt"),
            std::string::npos)
      << run.output;
}

TEST(CommandLineTest, DatabaseUrlIsEnough) {
  const int port = FreePort();
  const std::filesystem::path home = MakeTemporaryFolder();
  ChildProcess agent(
      {.argv = {AgentProgram(),
                "postgres://alice@127.0.0.1:" + std::to_string(TheCluster().port()) + "/app"},
       .log = home / "out",
       .as_server_user = false,
       .environment = {"PGVALET_LISTEN_PORT=" + std::to_string(port), "PGVALET_AUTH_TYPE=trust",
                       "PGVALET_UNIX_SOCKET_DIR=", "PGVALET_GRPC_LISTEN=", "PGVALET_HTTP_LISTEN=",
                       "PGVALET_LISTEN_ADDR=127.0.0.1"}});

  const std::string conninfo =
      "host=127.0.0.1 port=" + std::to_string(port) + " user=alice dbname=app";
  EXPECT_TRUE(Eventually([&] { return Connection(conninfo).ok() || !agent.Running(); }));

  EXPECT_EQ(Connection(conninfo).Value("SELECT current_database()"), "app")
      << ReadFile(home / "out");
  agent.Stop({SIGINT, SIGQUIT});
  std::filesystem::remove_all(home);
}

TEST(ListenTest, PortThatIsTakenIsSaidAndEndsTheStart) {
  const AgentProcess first;
  const RunResult run = RunAgent(
      "auth_type = \"trust\"\nlisten_addr = \"127.0.0.1\"\nlisten_port = " +
          std::to_string(first.port()) +
          "\nunix_socket_dir = \"\"\ngrpc_listen = \"\"\nhttp_listen = \"\"\n[databases]\n\"*\" = "
          "\"host=/tmp\"\n",
      {});

  EXPECT_NE(run.status, 0);
  EXPECT_NE(run.output.find(std::to_string(first.port())), std::string::npos) << run.output;
}

TEST(ListenTest, Ipv6ClientsAreServed) {
  AgentConfig config;
  config.SetText("listen_addr", "127.0.0.1, ::1");
  const AgentProcess agent(config);

  Connection client("host=::1 port=" + std::to_string(agent.port()) + " user=alice dbname=app");

  EXPECT_EQ(client.Value("SELECT 'over IPv6'"), "over IPv6") << client.error();
}

TEST(ListenTest, UnixSocketHasItsModeAndServes) {
  const std::filesystem::path folder = MakeTemporaryFolder();
  {
    AgentConfig config;
    config.SetText("unix_socket_dir", folder.string()).SetText("unix_socket_mode", "0700");
    const AgentProcess agent(config);
    const std::filesystem::path path = folder / (".s.PGSQL." + std::to_string(agent.port()));

    Connection client("host=" + folder.string() + " port=" + std::to_string(agent.port()) +
                      " user=alice dbname=app");

    EXPECT_EQ(client.Value("SELECT 'over a socket'"), "over a socket") << client.error();
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0700u);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder)) << "the socket stays behind";
  std::filesystem::remove_all(folder);
}

TEST(ListenTest, ServerIsReachedThroughItsUnixSocket) {
  AgentConfig config;
  config.Database("*", "host=" + TheCluster().socket_dir().string() +
                           " port=" + std::to_string(TheCluster().port()));
  const AgentProcess agent(config);

  EXPECT_EQ(Connection(agent.To()).Value("SELECT coalesce(host(inet_server_addr()), 'socket')"),
            "socket");
}

}  // namespace
}  // namespace pgvalet::integration

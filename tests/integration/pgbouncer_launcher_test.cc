// The agent started by the name of PgBouncer: switches, background, signals, log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

#include "support/cluster.h"
#include "support/connection.h"
#include "support/ini_agent.h"

namespace pgvalet::integration {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

std::string App() {
  return "[databases]\napp = host=127.0.0.1 port=" + std::to_string(TheCluster().port()) + "\n";
}

// The process that a pid file names; ended with the test.
struct Daemon {
  explicit Daemon(const std::filesystem::path& pidfile)
      : pid(static_cast<pid_t>(std::atoi(ReadFile(pidfile).c_str()))) {}
  ~Daemon() {
    if (pid > 0) kill(pid, SIGQUIT);
    EXPECT_TRUE(Eventually([this] { return !Runs(); }));
  }
  bool Runs() const { return pid > 0 && kill(pid, 0) == 0; }

  pid_t pid;
};

TEST(PgBouncerLauncherTest, DaemonLetsClientsInWhenItsStarterComesBack) {
  IniAgent agent("pidfile = " + std::string("PIDFILE") + "\n" + App());
  const std::filesystem::path pidfile = agent.home() / "pgbouncer.pid";
  std::string ini = ReadFile(agent.ini());
  ini.replace(ini.find("PIDFILE"), 7, pidfile.string());
  agent.Write("pgbouncer.ini", ini);

  ASSERT_EQ(agent.Run(PgBouncerLink(), {"-d", "-q", "INI"}), 0) << agent.log();
  const Daemon daemon(pidfile);

  EXPECT_TRUE(daemon.Runs());
  EXPECT_NE(getsid(daemon.pid), getsid(0));
  EXPECT_EQ(Connection(agent.To("alice", "app")).Value("SELECT 1"), "1");
  EXPECT_EQ(agent.Run(PgBouncerLink(), {"-d", "INI"}), 1) << "it runs already";
  EXPECT_TRUE(daemon.Runs());
}

TEST(PgBouncerLauncherTest, DaemonWithoutAPidfileIsRefused) {
  IniAgent agent(App());

  EXPECT_EQ(agent.Run(PgBouncerLink(), {"-d", "INI"}), 1);

  EXPECT_THAT(agent.log(), HasSubstr("a daemon needs a pidfile"));
}

TEST(PgBouncerLauncherTest, RootHasToSayWhoItBecomes) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  IniAgent agent(App());
  const auto start = [&agent](std::vector<std::string> argv) {
    argv.insert(argv.begin(), PgBouncerLink().string());
    argv.push_back(agent.ini().string());
    return ChildProcess(
        {.argv = argv, .log = agent.home() / "log", .as_server_user = false, .environment = {}});
  };

  EXPECT_EQ(start({}).WaitForExit(), 1);
  ChildProcess as_postgres = start({"-u", "postgres"});

  EXPECT_TRUE(Eventually([&] { return Connection(agent.To("alice", "app")).ok(); }));
  const std::string status = ReadFile("/proc/" + std::to_string(as_postgres.pid()) + "/status");
  EXPECT_THAT(status, Not(ContainsRegex("Uid:\t0")));
  EXPECT_EQ(start({"-u", "nobody-of-this-name"}).WaitForExit(), 1);
  as_postgres.Stop({SIGINT, SIGQUIT});
}

TEST(PgBouncerLauncherTest, LogHasTheLinesThatToolsLookFor) {
  IniAgent agent("stats_period = 1\n" + App());
  ASSERT_TRUE(agent.Start(PgBouncerLink(), {"INI"}));

  EXPECT_EQ(Connection(agent.To("alice", "app")).Value("SELECT 1"), "1");
  EXPECT_FALSE(Connection(agent.To("alice", "app") + " password=wrong").ok());

  const std::string client = "C-0x[0-9a-f]+: app/alice@127\\.0\\.0\\.1:[0-9]+ ";
  const std::string begin = "^[-0-9]+ [:.0-9]+ [A-Z]+ \\[[0-9]+\\] ";
  EXPECT_TRUE(Eventually([&] { return agent.log().find("LOG stats: ") != std::string::npos; }));
  EXPECT_TRUE(Eventually(
      [&] { return agent.log().find("closing because: client close") != std::string::npos; }));
  const std::string log = "\n" + agent.log();
  EXPECT_THAT(log, ContainsRegex("\\[[0-9]+\\] LOG process up: PgBouncer 1\\."));
  EXPECT_THAT(log, ContainsRegex("LOG " + client + "login attempt: db=app user=alice tls=no"));
  EXPECT_THAT(log,
              ContainsRegex("LOG " + client + "closing because: client close request \\(age="));
  EXPECT_THAT(log, ContainsRegex("WARNING " + client + "pooler error: password authentication "));
  EXPECT_THAT(log, ContainsRegex("LOG S-0x[0-9a-f]+: app/alice@127\\.0\\.0\\.1:[0-9]+ new "
                                 "connection to server \\(from 127\\.0\\.0\\.1:[0-9]+\\)"));
  EXPECT_THAT(log, ContainsRegex("LOG stats: [0-9]+ xacts/s, [0-9]+ queries/s, .*in [0-9]+ B/s, "
                                 "out [0-9]+ B/s, xact [0-9]+ us, query [0-9]+ us, wait [0-9]+ "
                                 "us"));
}

TEST(PgBouncerLauncherTest, Usr1PausesAndUsr2Resumes) {
  IniAgent agent("pool_mode = transaction\n" + App());
  ASSERT_TRUE(agent.Start(PgBouncerLink(), {"INI"}));
  Connection client(agent.To("alice", "app"));
  client.Must("SELECT 1");
  Connection console(agent.To("admin", "pgbouncer"));
  const auto is_paused = [&console] { return console.Query("SHOW STATE").rows[1][1] == "yes"; };

  agent.child().Signal(SIGUSR1);
  ASSERT_TRUE(Eventually(is_paused));
  client.Send("SELECT 2");
  agent.child().Signal(SIGUSR2);

  EXPECT_EQ(client.Collect().value(), "2");
  EXPECT_FALSE(is_paused());
}

TEST(PgBouncerLauncherTest, ServiceManagerHearsThatItIsReady) {
  IniAgent agent(App());
  const std::filesystem::path path = agent.home() / "notify";
  const int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(manager, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  GiveToServerUser(path);
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  setsockopt(manager, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);

  ChildProcess child({.argv = {PgBouncerLink(), agent.ini()},
                      .log = agent.home() / "log",
                      .as_server_user = true,
                      .environment = {"NOTIFY_SOCKET=" + path.string()}});
  char text[64] = "";
  const ssize_t length = recv(manager, text, sizeof text, 0);

  EXPECT_EQ(std::string(text, static_cast<std::size_t>(std::max<ssize_t>(length, 0))), "READY=1");
  EXPECT_TRUE(Connection(agent.To("alice", "app")).ok());
  child.Stop({SIGINT, SIGQUIT});
  close(manager);
}

TEST(PgBouncerLauncherTest, TwoProcessesShareAPortWithSoReuseport) {
  IniAgent first("so_reuseport = 1\n" + App());
  ASSERT_TRUE(first.Start(PgBouncerLink(), {"INI"}));
  std::string ini = ReadFile(first.ini());
  IniAgent second(App());
  second.Write("pgbouncer.ini",
               ini + "[pgbouncer]\nso_reuseport = 1\nauth_type = md5\nauth_file = " +
                   (second.home() / "userlist.txt").string() +
                   "\nlisten_addr = 127.0.0.1\nlisten_port = " + std::to_string(first.port()) +
                   "\nunix_socket_dir = " + second.home().string() + "\n");
  ASSERT_TRUE(second.Start(PgBouncerLink(), {"INI"})) << second.log();

  first.Stop();

  EXPECT_TRUE(Eventually([&] { return Connection(first.To("alice", "app")).ok(); }));
}

}  // namespace
}  // namespace pgvalet::integration

// The sampler against a real PostgreSQL, without the rest of the agent.
#include "sampler/sampler.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "support/child_process.h"
#include "support/cluster.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

using namespace std::chrono_literals;
using sampler::Sampler;
using testing::HasSubstr;

config::Settings SettingsFor(const std::string& user, const std::string& dbname) {
  config::Settings settings;
  config::DatabaseSettings& entry = settings.databases["app"];
  entry.name = "app";
  entry.hosts = {{"127.0.0.1", static_cast<std::uint16_t>(TheCluster().port())}};
  settings.sampler_dbname = dbname;
  settings.sampler_user = user;
  settings.sampler_interval = 20ms;
  settings.server_login_retry = 20ms;
  return settings;
}

config::SettingsPtr Share(config::Settings settings) {
  return std::make_shared<const config::Settings>(std::move(settings));
}

struct SamplerTest : testing::Test {
  void SetUp() override {
    if (!TheCluster().has_extension()) GTEST_SKIP() << "this PostgreSQL has no pgvalet";
  }

  void Start(config::Settings settings) {
    sampler = std::make_unique<Sampler>(Sampler::Options{Share(std::move(settings)), nullptr});
    ASSERT_TRUE(sampler->Start().has_value());
  }

  bool BecomesAvailable() const {
    return Eventually([&] { return sampler->Latest()->available; });
  }
  bool BecomesUnavailable(const std::string& why) const {
    return Eventually([&] {
      const auto sample = sampler->Latest();
      return !sample->available && sample->reason.find(why) != std::string::npos;
    });
  }

  std::unique_ptr<Sampler> sampler;
};

TEST_F(SamplerTest, ReadsEveryViewOfTheExtension) {
  Connection alice(TheCluster().DirectTo("alice") + " application_name=worker");
  alice.Must("SELECT 1");

  Start(SettingsFor("monitor", "app"));

  ASSERT_TRUE(BecomesAvailable()) << sampler->Latest()->reason;
  const auto sample = sampler->Latest();
  EXPECT_EQ(sample->reason, "");
  EXPECT_FALSE(sample->summary.extension_version.empty());
  EXPECT_GE(sample->summary.connections, 2);
  EXPECT_GT(sample->summary.max_connections, 0);
  EXPECT_GT(sample->summary.started_at, stats::WallTime{});
  const auto backend =
      std::find_if(sample->backends.begin(), sample->backends.end(),
                   [&](const auto& row) { return row.pid == PQbackendPID(alice.raw()); });
  ASSERT_NE(backend, sample->backends.end());
  EXPECT_EQ(backend->database_name, "app");
  EXPECT_EQ(backend->role_name, "alice");
  EXPECT_EQ(backend->application_name, "worker");
  EXPECT_EQ(backend->client_addr, "127.0.0.1");
  EXPECT_GT(backend->client_port, 0);
  EXPECT_EQ(backend->connection_kind, "direct");
  EXPECT_EQ(backend->state, "idle");
  EXPECT_GE(backend->costs.statement_count, 1);
  const auto knows = [](const std::vector<stats::UsageRow>& rows, const std::string& name) {
    return std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.name == name; });
  };
  EXPECT_TRUE(knows(sample->usage_by_role, "alice"));
  EXPECT_TRUE(knows(sample->usage_by_database, "app"));
  EXPECT_TRUE(knows(sample->usage_by_application, "worker"));
}

TEST_F(SamplerTest, KeepsOneNamedReadOnlyConnectionThatIsNotAnAgents) {
  Connection admin(TheCluster().DirectTo("postgres"));
  Start(SettingsFor("monitor", "app"));
  ASSERT_TRUE(BecomesAvailable());
  const auto first = sampler->Latest();

  ASSERT_TRUE(Eventually([&] { return sampler->Latest() != first; }));

  EXPECT_EQ(admin.Value("SELECT count(*) FROM pg_stat_activity "
                        "WHERE application_name = 'pgvaletd sampler'"),
            "1");
  EXPECT_EQ(admin.Value("SELECT connection_kind FROM pgvalet.backends "
                        "WHERE application_name = 'pgvaletd sampler'"),
            "direct");
}

TEST_F(SamplerTest, NoticesAnExtensionThatIsCreatedLaterAndDroppedAgain) {
  Connection admin(TheCluster().DirectTo("postgres"));
  admin.Must("CREATE DATABASE later");
  {
    Connection later(TheCluster().DirectTo("postgres", "later"));
    Start(SettingsFor("postgres", "later"));
    EXPECT_TRUE(BecomesUnavailable("not installed in database \"later\": run CREATE EXTENSION"));

    later.Must("CREATE EXTENSION pgvalet");
    EXPECT_TRUE(BecomesAvailable());

    later.Must("DROP EXTENSION pgvalet");
    EXPECT_TRUE(BecomesUnavailable("not installed"));

    later.Must("CREATE EXTENSION pgvalet");
    EXPECT_TRUE(BecomesAvailable());
    sampler->Stop();
  }
  EXPECT_TRUE(Eventually([&] { return admin.Query("DROP DATABASE later").ok(); }));
}

TEST_F(SamplerTest, ARoleWithoutTheRightIsToldWhichOneItNeeds) {
  Start(SettingsFor("bob", "app"));

  EXPECT_TRUE(
      BecomesUnavailable("role \"bob\" may not read the views of pgvalet: GRANT pg_monitor"))
      << sampler->Latest()->reason;
}

TEST_F(SamplerTest, AWrongPasswordIsSaidAndNotShown) {
  config::Settings settings = SettingsFor("scram_user", "app");
  settings.sampler_password = "hush";

  Start(settings);

  EXPECT_TRUE(BecomesUnavailable("cannot connect: "));
  EXPECT_THAT(sampler->Latest()->reason, HasSubstr("password authentication failed"));
  EXPECT_EQ(sampler->Latest()->reason.find("hush"), std::string::npos);
}

TEST_F(SamplerTest, SurvivesARestartOfTheServer) {
  Start(SettingsFor("monitor", "app"));
  ASSERT_TRUE(BecomesAvailable());

  TheCluster().Stop();
  EXPECT_TRUE(BecomesUnavailable("cannot connect: "));
  TheCluster().Start();

  EXPECT_TRUE(BecomesAvailable()) << sampler->Latest()->reason;
}

TEST_F(SamplerTest, ASessionThatIsEndedIsReplacedWithoutAGap) {
  Connection admin(TheCluster().DirectTo("postgres"));
  Start(SettingsFor("monitor", "app"));
  ASSERT_TRUE(BecomesAvailable());
  const std::string find =
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'pgvaletd sampler'";
  const std::string pid = admin.Value(find);

  admin.Must("SELECT pg_terminate_backend(" + pid + ", 10000)");
  bool gap = false;
  ASSERT_TRUE(Eventually([&] {
    gap = gap || !sampler->Latest()->available;
    const std::string now = admin.Value(find);
    return now != pid && now != "(none)";
  }));

  EXPECT_FALSE(gap);
}

TEST_F(SamplerTest, GoesOnToTheNextHostOfTheList) {
  config::Settings settings = SettingsFor("monitor", "app");
  std::vector<config::HostPort>& hosts = settings.databases["app"].hosts;
  hosts.insert(hosts.begin(), {"localhost", static_cast<std::uint16_t>(FreePort())});

  Start(settings);

  EXPECT_TRUE(BecomesAvailable()) << sampler->Latest()->reason;
}

TEST_F(SamplerTest, ReadsThroughAUnixSocket) {
  config::Settings settings = SettingsFor("monitor", "app");
  settings.databases["app"].hosts[0].host = TheCluster().socket_dir().string();

  Start(settings);

  EXPECT_TRUE(BecomesAvailable()) << sampler->Latest()->reason;
}

TEST_F(SamplerTest, AReloadMovesItToAnotherDatabaseAndAZeroIntervalStopsIt) {
  Start(SettingsFor("monitor", "app"));
  ASSERT_TRUE(BecomesAvailable());

  sampler->UpdateSettings(Share(SettingsFor("monitor", "postgres")));
  EXPECT_TRUE(BecomesUnavailable("not installed in database \"postgres\""));

  config::Settings off = SettingsFor("monitor", "postgres");
  off.sampler_interval = Duration::zero();
  sampler->UpdateSettings(Share(off));
  EXPECT_TRUE(BecomesUnavailable("sampler_interval is 0"));

  sampler->UpdateSettings(Share(SettingsFor("monitor", "app")));
  EXPECT_TRUE(BecomesAvailable());
}

// The next two would hang, and the watchdog would say so, if Stop() waited for the server.
TEST_F(SamplerTest, StopsAtOnceWhileALoginHangs) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  config::Settings settings = SettingsFor("monitor", "app");
  settings.databases["app"].hosts = {{"127.0.0.1", ntohs(address.sin_port)}};
  settings.server_connect_timeout = 1h;

  Start(settings);
  const int accepted = accept(listener, nullptr, nullptr);
  sampler->Stop();

  EXPECT_FALSE(sampler->Latest()->available);
  close(accepted);
  close(listener);
}

TEST_F(SamplerTest, StopsAtOnceWhileABackendHangs) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may halt a backend";
  Connection admin(TheCluster().DirectTo("postgres"));
  Start(SettingsFor("monitor", "app"));
  ASSERT_TRUE(BecomesAvailable());
  const pid_t backend = std::stoi(
      admin.Value("SELECT pid FROM pg_stat_activity WHERE application_name = 'pgvaletd sampler'"));

  ASSERT_EQ(kill(backend, SIGSTOP), 0);
  sampler->Stop();
  ASSERT_EQ(kill(backend, SIGCONT), 0);

  EXPECT_TRUE(Eventually([&] {
    return admin.Value(
               "SELECT count(*) FROM pg_stat_activity "
               "WHERE application_name = 'pgvaletd sampler'") == "0";
  }));
}

}  // namespace
}  // namespace pgvalet::integration

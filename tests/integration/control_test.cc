// gRPC Control on a real agent with real clients: who may, what it does, and how it refuses.
#include "support/control_test.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <memory>
#include <string>

#include "support/connection.h"

namespace pgvalet::integration {
namespace {

using grpc::StatusCode;
using testing::HasSubstr;

class ControlTest : public ControlCallTest {
 protected:
  ControlTest() : ControlCallTest(WithForcedUser()) {}

  // The pool of database "forced" logs in to the server as alice, whoever its client is.
  static AgentConfig WithForcedUser() {
    AgentConfig config;
    config.Database("forced", "host=127.0.0.1 port=" + std::to_string(TheCluster().port()) +
                                  " dbname=app user=alice password=alice_pw");
    return config;
  }

  // As the console says.
  bool IsPaused(const std::string& database) const {
    constexpr std::size_t kPausedColumn = 15;
    Connection console(agent->To("admin", "pgbouncer"));
    for (const auto& row : console.Query("SHOW DATABASES").rows) {
      if (row[0] == database) return row[kPausedColumn] == "1";
    }
    return false;
  }

  static v1::PauseRequest PauseOf(const std::string& database) {
    v1::PauseRequest request;
    request.set_database(database);
    return request;
  }
  static v1::ResumeRequest ResumeOf(const std::string& database) {
    v1::ResumeRequest request;
    request.set_database(database);
    return request;
  }
};

TEST_F(ControlTest, NothingIsDoneWithoutATokenThatMay) {
  const v1::ReloadRequest reload;
  EXPECT_EQ(Do(&v1::Control::Stub::Reload, reload, "").error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Do(&v1::Control::Stub::Reload, reload, "wrong").error_code(),
            StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Do(&v1::Control::Stub::Reload, reload, kReader).error_code(),
            StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Do(&v1::Control::Stub::Pause, PauseOf(""), kReader).error_code(),
            StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Do(&v1::Control::Stub::ListClients, v1::ListClientsRequest(), "").error_code(),
            StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(Do(&v1::Control::Stub::Reload, reload).ok());
}

TEST_F(ControlTest, TheCommandLineIsLetInByItsTokenOnly) {
  const std::string command = CommandLineProgram().string() + " status --address " + address_;
  const auto run = [](const std::string& what) { return WEXITSTATUS(std::system(what.c_str())); };
  EXPECT_EQ(run(command + " 2>/dev/null"), 3);
  EXPECT_EQ(run(command + " --token-file " + token_file_ + " >/dev/null"), 0);
  EXPECT_EQ(run("PGVALET_TOKEN=" + std::string(kReader) + " " + command + " >/dev/null"), 0);
}

TEST_F(ControlTest, PauseWaitsForTransactionsAndResumeLetsGoOn) {
  Connection busy(agent->To());
  busy.Must("BEGIN");
  auto paused =
      std::async(std::launch::async, [&] { return Do(&v1::Control::Stub::Pause, PauseOf("app")); });
  EXPECT_TRUE(Eventually([&] { return IsPaused("app"); }));
  EXPECT_EQ(Do(&v1::Control::Stub::Pause, PauseOf("app")).error_code(),
            StatusCode::FAILED_PRECONDITION);
  Connection other(agent->To());
  ASSERT_TRUE(other.Send("SELECT 'served'"));

  busy.Must("COMMIT");

  EXPECT_TRUE(paused.get().ok());
  EXPECT_TRUE(Do(&v1::Control::Stub::Resume, ResumeOf("app")).ok());
  EXPECT_EQ(other.Collect().value(), "served");
  EXPECT_EQ(Do(&v1::Control::Stub::Resume, ResumeOf("app")).error_code(),
            StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Do(&v1::Control::Stub::Pause, PauseOf("nosuch")).error_code(), StatusCode::NOT_FOUND);
}

TEST_F(ControlTest, PauseWhoseCallerGivesUpIsCalledOff) {
  Connection busy(agent->To());
  busy.Must("BEGIN");
  grpc::ClientContext context;
  context.AddMetadata("authorization", std::string("Bearer ") + kController);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
  v1::PauseResponse response;

  EXPECT_EQ(control->Pause(&context, PauseOf("app"), &response).error_code(),
            StatusCode::DEADLINE_EXCEEDED);

  EXPECT_TRUE(Eventually([&] { return !IsPaused("app"); }));
  busy.Must("COMMIT");
  EXPECT_EQ(Connection(agent->To()).Value("SELECT 'served'"), "served");
}

TEST_F(ControlTest, ListsAreLinked) {
  Connection client(agent->To() + " application_name=listed");
  client.Must("BEGIN");
  const std::string pid = client.Value("SELECT pg_backend_pid()");
  v1::ListServersResponse servers;
  ASSERT_TRUE(Call(&v1::Control::Stub::ListServers, v1::ListServersRequest(), servers).ok());

  const v1::ListClientsResponse clients = Clients();

  ASSERT_EQ(clients.clients_size(), 1);
  ASSERT_EQ(servers.servers_size(), 1);
  const v1::Client& one = clients.clients(0);
  EXPECT_EQ(one.state(), v1::CLIENT_STATE_ACTIVE);
  EXPECT_EQ(one.connection().application_name(), "listed");
  EXPECT_EQ(one.connection().database(), "app");
  EXPECT_EQ(one.connection().peer().addr(), "127.0.0.1");
  EXPECT_EQ(std::to_string(one.connection().server_pid()), pid);
  EXPECT_EQ(one.connection().linked_id(), servers.servers(0).connection().id());
  EXPECT_EQ(servers.servers(0).connection().linked_id(), one.connection().id());
  EXPECT_EQ(servers.servers(0).has_extension(), TheCluster().has_extension());

  v1::ListClientsRequest filter;
  filter.set_database("other");
  v1::ListClientsResponse none;
  EXPECT_TRUE(Call(&v1::Control::Stub::ListClients, filter, none).ok());
  EXPECT_EQ(none.clients_size(), 0);
}

TEST_F(ControlTest, ClientOfAForcedUserIsListedByItsOwnLoginName) {
  Connection client(agent->To("bob", "forced"));
  ASSERT_EQ(client.Value("SELECT current_user"), "alice");

  const v1::ListClientsResponse clients = Clients();

  ASSERT_EQ(clients.clients_size(), 1);
  EXPECT_EQ(clients.clients(0).connection().user(), "bob");
}

TEST_F(ControlTest, ClientIsEndedAndStatementCancelled) {
  Connection sleeper(agent->To());
  ASSERT_TRUE(sleeper.Send("SELECT pg_sleep(600)"));
  std::uint32_t pid = 0;
  ASSERT_TRUE(Eventually([&] {
    const v1::ListClientsResponse clients = Clients();
    pid = clients.clients_size() == 1 ? clients.clients(0).connection().server_pid() : 0;
    return pid != 0;
  }));
  v1::CancelBackendRequest cancel;
  cancel.set_pid(pid);
  EXPECT_TRUE(Do(&v1::Control::Stub::CancelBackend, cancel).ok());
  EXPECT_EQ(sleeper.Collect().sqlstate, "57014");

  v1::KillClientRequest kill;
  kill.set_id(Clients().clients(0).connection().id());
  EXPECT_TRUE(Do(&v1::Control::Stub::KillClient, kill).ok());
  EXPECT_EQ(sleeper.Query("SELECT 1").sqlstate, "57P01");
  EXPECT_TRUE(Eventually([&] {
    return Do(&v1::Control::Stub::KillClient, kill).error_code() == StatusCode::NOT_FOUND;
  }));
}

TEST_F(ControlTest, SettingsAreShownWithTheirOriginAndChanged) {
  v1::SetSettingRequest request;
  request.set_key("query_timeout");
  request.set_value("7");
  EXPECT_TRUE(Do(&v1::Control::Stub::SetSetting, request).ok());
  v1::ListSettingsResponse settings;
  ASSERT_TRUE(Call(&v1::Control::Stub::ListSettings, v1::ListSettingsRequest(), settings).ok());
  for (const v1::Setting& setting : settings.settings()) {
    if (setting.key() == "query_timeout") {
      EXPECT_EQ(setting.value(), "7");
      EXPECT_EQ(setting.default_value(), "0");
      EXPECT_EQ(setting.source(), "command line");
    }
    if (setting.key() == "listen_port") {
      EXPECT_THAT(setting.source(), HasSubstr("pgvalet.toml:"));
      EXPECT_TRUE(setting.needs_restart());
    }
    EXPECT_FALSE(setting.meaning().empty()) << setting.key();
  }

  request.set_value("many");
  EXPECT_EQ(Do(&v1::Control::Stub::SetSetting, request).error_code(), StatusCode::INVALID_ARGUMENT);
  request.set_key("nosuch");
  EXPECT_EQ(Do(&v1::Control::Stub::SetSetting, request).error_code(), StatusCode::NOT_FOUND);
  request.set_key("cores");
  EXPECT_EQ(Do(&v1::Control::Stub::SetSetting, request).error_code(),
            StatusCode::FAILED_PRECONDITION);
}

TEST_F(ControlTest, RequestsThatLeaveOutWhatIsNeededAreRefused) {
  EXPECT_EQ(Do(&v1::Control::Stub::Disable, v1::DisableRequest()).error_code(),
            StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Do(&v1::Control::Stub::Shutdown, v1::ShutdownRequest()).error_code(),
            StatusCode::INVALID_ARGUMENT);
  v1::PauseRequest huge;
  huge.set_database(std::string(100'000, 'x'));
  EXPECT_FALSE(Do(&v1::Control::Stub::Pause, huge).ok());
  EXPECT_TRUE(Do(&v1::Control::Stub::Reload, v1::ReloadRequest()).ok());
}

TEST_F(ControlTest, ShutdownEndsTheAgent) {
  v1::ShutdownRequest request;
  request.set_mode(v1::SHUTDOWN_MODE_WAIT_FOR_SERVERS);

  EXPECT_TRUE(Do(&v1::Control::Stub::Shutdown, request).ok());

  EXPECT_EQ(agent->WaitForExit(), 0);
}

TEST(ControlWithoutTokensTest, NobodyMayControlTheAgent) {
  const std::string address = "127.0.0.1:" + std::to_string(FreePort());
  AgentConfig config;
  config.SetText("grpc_listen", address);
  const AgentProcess agent(config);
  const auto control =
      v1::Control::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::ReloadResponse response;

  const grpc::Status status = control->Reload(&context, v1::ReloadRequest(), &response);

  EXPECT_EQ(status.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(status.error_message(), HasSubstr("token_file"));
}

}  // namespace
}  // namespace pgvalet::integration

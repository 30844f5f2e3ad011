// What the command lists and does, on a real agent with real clients.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>
#include <string>

#include "support/command.h"
#include "support/connection.h"
#include "support/grpc_test.h"

namespace pgvalet::integration {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class CliCommandsTest : public GrpcTest {
 protected:
  CliCommandsTest() : GrpcTest(Quick()) {}

  static AgentConfig Quick() {
    AgentConfig config;
    config.SetText("sampler_user", "postgres").SetText("sampler_dbname", "app");
    config.Set("sampler_interval", "0.1").Set("snapshot_interval", "0.1");
    return config;
  }

  CommandOutcome Call(const std::string& arguments, const char* token = kController) const {
    return CallCommand("--address " + address_ + " " + arguments,
                       "PGVALET_TOKEN=" + std::string(token));
  }

  // With --json, as an object.
  json CallJson(const std::string& arguments) const {
    const CommandOutcome outcome = Call("--json " + arguments);
    json parsed = json::parse(outcome.text, nullptr, false);
    EXPECT_FALSE(parsed.is_discarded()) << outcome.text;
    return parsed;
  }

  // Until the output has what is looked for.
  CommandOutcome CallUntil(const std::string& arguments, const std::string& text) const {
    CommandOutcome outcome;
    EXPECT_TRUE(Eventually([&] {
      outcome = Call(arguments);
      return outcome.text.find(text) != std::string::npos;
    })) << outcome.text;
    return outcome;
  }

  // The id of the client that calls itself so.
  std::string IdOf(const std::string& application) const {
    const json listed = CallJson("clients --application " + application);
    if (listed["clients"].empty()) return "";
    return listed["clients"][0]["connection"]["id"];
  }

  std::string Named(const std::string& application) const {
    return agent->To() + " application_name=" + application;
  }
};

TEST_F(CliCommandsTest, ClientsAndServersAreListedWithWhoIsBehindThem) {
  Connection busy(Named("busy"));
  busy.Must("BEGIN");
  Connection idle(Named("lazy"));

  const CommandOutcome clients = Call("clients");
  EXPECT_EQ(clients.exit_code, 0);
  EXPECT_THAT(clients.text, HasSubstr("busy"));
  EXPECT_THAT(clients.text, HasSubstr("lazy"));
  EXPECT_THAT(Call("clients --application busy").text, Not(HasSubstr("lazy")));
  EXPECT_THAT(Call("clients --user nobody").text, HasSubstr("no clients"));

  const std::string pid = busy.Value("SELECT pg_backend_pid()");
  EXPECT_THAT(Call("servers").text, HasSubstr(pid));
  EXPECT_EQ(CallJson("servers")["servers"][0]["state"], "SERVER_STATE_ACTIVE");
}

TEST_F(CliCommandsTest, PoolsCanBeFilteredSortedAndLimited) {
  Connection alice(agent->To());
  alice.Must("SELECT 1");
  Connection bob(agent->To("bob"));
  bob.Must("SELECT 1");
  CallUntil("pools", "bob");

  EXPECT_THAT(Call("pools --user alice").text, Not(HasSubstr("bob")));
  EXPECT_EQ(CallJson("pools --user bob")["pools"].size(), 1U);
  EXPECT_THAT(Call("pools --limit 1").text, HasSubstr("alice"));
  Connection more(agent->To("bob"));
  more.Must("SELECT 1");
  // By its clients bob's comes before alice's.
  const CommandOutcome one = CallUntil("pools --sort clients --limit 1", "bob");
  EXPECT_THAT(one.text, Not(HasSubstr("alice")));
  EXPECT_EQ(Call("pools --sort beauty").exit_code, 2);
}

TEST_F(CliCommandsTest, PinsSayWhyAndForHowLong) {
  if (!TheCluster().has_extension()) GTEST_SKIP() << "only the extension knows";
  Connection client(agent->To());
  client.Must("CREATE TEMP TABLE t (a int)");

  const CommandOutcome pins = CallUntil("pins", "temporary objects");
  EXPECT_EQ(pins.exit_code, 0);
  EXPECT_EQ(CallJson("pins")["pins"][0]["reasons"][0]["reason"], "temporary_objects");
  EXPECT_THAT(Call("pins --user nobody").text, HasSubstr("no pins"));
}

TEST_F(CliCommandsTest, AForgottenTransactionIsALeakAndKillClientEndsIt) {
  if (!TheCluster().has_extension()) GTEST_SKIP() << "only the extension knows";
  Connection client(Named("forgetful"));
  client.Must("BEGIN");
  EXPECT_EQ(Call("leaks --min-age 3600").exit_code, 0);
  CallUntil("leaks --min-age 0.2", "forgetful");
  EXPECT_EQ(Call("leaks --min-age 0.2").exit_code, 1);
  const json leak = CallJson("leaks --min-age 0.2 --application forgetful")["leaks"][0];
  EXPECT_EQ(leak["kind"], "open_transaction");

  const CommandOutcome killed = Call("kill client " + std::to_string(leak["client_id"].get<int>()));
  EXPECT_EQ(killed.exit_code, 0) << killed.text;
  EXPECT_EQ(client.Query("SELECT 1").sqlstate, "57P01");
}

TEST_F(CliCommandsTest, BackendsAreListedWithTheirWork) {
  if (!TheCluster().has_extension()) GTEST_SKIP() << "only the extension knows";
  Connection client(Named("worker"));
  client.Must("BEGIN");
  const std::string pid = client.Value("SELECT pg_backend_pid()");
  CallUntil("backends", pid);
  EXPECT_THAT(CallUntil("backends --application worker", pid).text, HasSubstr("idle in txn"));
}

TEST_F(CliCommandsTest, PauseWaitsAndResumeLetsGoOn) {
  Connection busy(agent->To());
  busy.Must("BEGIN");
  auto pause = std::async(std::launch::async, [&] { return Call("pause app"); });
  CallUntil("events --kind paused", "app");
  busy.Must("COMMIT");
  const CommandOutcome paused = pause.get();
  EXPECT_EQ(paused.exit_code, 0) << paused.text;
  EXPECT_THAT(paused.text, HasSubstr("database app paused"));
  EXPECT_EQ(Call("pause app").exit_code, 1);
  EXPECT_EQ(Call("resume app").exit_code, 0);
  EXPECT_EQ(busy.Value("SELECT 7"), "7");
  EXPECT_THAT(Call("resume app").text, HasSubstr("not paused"));
}

TEST_F(CliCommandsTest, ASettingIsSetShownAndTakenBackByReload) {
  EXPECT_EQ(Call("set query_wait_timeout=33").exit_code, 0);
  EXPECT_THAT(Call("config --changed").text, HasSubstr("query_wait_timeout"));
  EXPECT_THAT(Call("config query_wait").text, HasSubstr("33"));
  EXPECT_EQ(Call("set query_wait_timeout 34").exit_code, 0);
  EXPECT_EQ(CallJson("config query_wait_timeout")["settings"][0]["value"], "34");
  EXPECT_EQ(Call("reload").exit_code, 0);
  EXPECT_THAT(Call("config --changed").text, Not(HasSubstr("query_wait_timeout")));

  EXPECT_EQ(Call("set query_wait_timeout").exit_code, 2);
  EXPECT_THAT(Call("set query_wait_timeout=soon").text, HasSubstr("query_wait_timeout"));
  EXPECT_EQ(Call("set query_wait_timeout=soon").exit_code, 1);
  EXPECT_EQ(Call("config nonsense").exit_code, 1);
}

TEST_F(CliCommandsTest, AStatementIsCancelledAndAClientEnded) {
  Connection busy(Named("sleeper"));
  ASSERT_TRUE(busy.Send("SELECT pg_sleep(600)"));
  std::string pid;
  ASSERT_TRUE(Eventually([&] {
    const json listed = CallJson("servers");
    for (const json& server : listed["servers"]) {
      if (server["state"] == "SERVER_STATE_ACTIVE")
        pid = std::to_string(server["connection"]["server_pid"].get<int>());
    }
    return !pid.empty();
  }));
  Connection watch(TheCluster().DirectTo("postgres"));
  ASSERT_TRUE(Eventually([&] {
    return watch.Value("SELECT state FROM pg_stat_activity WHERE pid = " + pid) == "active";
  }));
  EXPECT_EQ(Call("cancel " + pid).exit_code, 0);
  EXPECT_EQ(busy.Collect().sqlstate, "57014");
  EXPECT_EQ(Call("kill client " + IdOf("sleeper")).exit_code, 0);
  EXPECT_EQ(busy.Query("SELECT 1").sqlstate, "57P01");
  EXPECT_THAT(Call("kill client 999999").text, HasSubstr("no client has this id"));
  EXPECT_EQ(Call("kill client 999999").exit_code, 1);
  EXPECT_EQ(Call("kill").exit_code, 2);
}

TEST_F(CliCommandsTest, EventsAreFollowedAsTheyHappen) {
  Connection client(agent->To());  // else nobody knows of the database
  Call("set query_wait_timeout=33");
  const CommandOutcome listed = Call("events --kind setting_changed");
  EXPECT_EQ(listed.exit_code, 0);
  EXPECT_THAT(listed.text, HasSubstr("query_wait_timeout"));
  EXPECT_THAT(Call("events --kind nonsense").text, HasSubstr("no events"));

  // head ends the stream by leaving.
  auto followed = std::async(std::launch::async, [&] {
    return Call("events --json --follow -n 0 --kind disabled | head -n 1");
  });
  // It may not have begun: until it has seen one.
  while (followed.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
    ASSERT_EQ(Call("disable app").exit_code, 0);
    ASSERT_EQ(Call("enable app").exit_code, 0);
  }
  const json event = json::parse(followed.get().text, nullptr, false);
  EXPECT_EQ(event.value("kind", ""), "disabled");
}

TEST_F(CliCommandsTest, AReaderDoesNothingAndIsToldWhy) {
  EXPECT_EQ(Call("pools", kReader).exit_code, 0);
  EXPECT_EQ(Call("clients", kReader).exit_code, 0);
  const CommandOutcome refused = Call("pause", kReader);
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.text, HasSubstr("this token may only read"));
  EXPECT_THAT(Call("pools", "wrong").text, HasSubstr("--token-file"));
}

TEST_F(CliCommandsTest, UnknownDatabasesAreRefused) {
  for (const std::string command : {"pause", "resume", "disable", "enable", "reconnect"}) {
    const CommandOutcome outcome = Call(command + " nosuch");
    EXPECT_EQ(outcome.exit_code, 1) << command;
    EXPECT_THAT(outcome.text, HasSubstr("nosuch")) << command;
  }
}

TEST_F(CliCommandsTest, DrainEndsClientsBetweenTransactionsAndEnableOpensAgain) {
  Connection idle(agent->To());
  idle.Must("SELECT 1");
  Connection busy(agent->To());
  busy.Must("BEGIN");
  auto drain = std::async(std::launch::async, [&] { return Call("drain app"); });
  EXPECT_TRUE(Eventually([&] { return idle.Query("SELECT 1").sqlstate == "57P01"; }));
  EXPECT_EQ(busy.Value("SELECT 7"), "7");
  busy.Must("COMMIT");
  const CommandOutcome drained = drain.get();
  EXPECT_EQ(drained.exit_code, 0) << drained.text;
  EXPECT_THAT(drained.text, HasSubstr("drained"));
  EXPECT_FALSE(Connection(agent->To()).ok());
  EXPECT_EQ(Call("enable app").exit_code, 0);
  EXPECT_TRUE(Connection(agent->To()).ok());
}

TEST_F(CliCommandsTest, ABackendThatCamePastTheAgentIsEnded) {
  Connection direct(TheCluster().DirectTo("alice"));
  const std::string pid = direct.Value("SELECT pg_backend_pid()");
  const CommandOutcome killed = Call("kill backend " + pid);
  EXPECT_EQ(killed.exit_code, 0) << killed.text;
  EXPECT_EQ(direct.Query("SELECT 1").sqlstate, "57P01");
  EXPECT_THAT(Call("kill backend 1").text, HasSubstr("no backend of the server has this pid"));
}

TEST_F(CliCommandsTest, APoolIsResizedUnderItsWaiters) {
  Connection first(agent->To());
  first.Must("SELECT 1");
  EXPECT_EQ(Call("resize app 1").exit_code, 0);
  first.Must("BEGIN");
  Connection second(agent->To());
  ASSERT_TRUE(second.Send("SELECT 7"));
  EXPECT_TRUE(Eventually([&] {
    const json pools = CallJson("pools")["pools"];
    return !pools.empty() && pools[0]["now"]["clients_waiting"] == "1";
  }));
  const CommandOutcome resized = Call("resize app 2 --user alice");
  EXPECT_EQ(resized.exit_code, 0) << resized.text;
  EXPECT_THAT(resized.text, HasSubstr("app/alice was 1, is 2"));
  EXPECT_EQ(second.Collect().value(), "7");
  EXPECT_EQ(Call("resize nosuch 2").exit_code, 1);
  EXPECT_EQ(Call("resize app 0").exit_code, 2);
}

TEST_F(CliCommandsTest, SuspendedNothingIsReadUntilResume) {
  Connection client(agent->To());
  client.Must("SELECT 1");
  EXPECT_EQ(Call("suspend").exit_code, 0);
  ASSERT_TRUE(client.Send("SELECT 7"));
  EXPECT_EQ(Call("resume").exit_code, 0);
  EXPECT_EQ(client.Collect().value(), "7");
}

TEST_F(CliCommandsTest, ShutdownEndsTheAgent) {
  EXPECT_EQ(Call("shutdown --when now").exit_code, 0);
  EXPECT_TRUE(Eventually([&] { return Call("status").exit_code == 3; }));
}

}  // namespace
}  // namespace pgvalet::integration

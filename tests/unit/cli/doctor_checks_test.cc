#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cli/client/postgres.h"
#include "cli/doctor/checks.h"
#include "cli/doctor/net_probe.h"
#include "sample_snapshot.h"

namespace pgvalet::cli::doctor {
namespace {

using testing::HasSubstr;
using testing::Not;

Facts FactsOf(const v1::Snapshot& snapshot) {
  Facts facts;
  facts.snapshot = snapshot;
  facts.settings = config::Settings{};
  return facts;
}

std::string TextOf(const Findings& findings) { return Render(FindingLines(findings), false); }

TEST(DoctorFindingTest, ALineSaysVerdictStepAndAdvice) {
  const Findings findings = {{"extension", Verdict::kWarning, "not preloaded", "preload it"},
                             {"grpc", Verdict::kOk, "answers"},
                             {"token", Verdict::kSkipped, "nobody"}};

  EXPECT_EQ(TextOf(findings),
            "warning  extension           not preloaded\n"
            "                             → preload it\n"
            "ok       grpc                answers\n"
            "skipped  token               nobody\n"
            "\n"
            "0 problems, 1 warning, 1 skipped, 1 ok\n");
}

TEST(DoctorFindingTest, ControlCharactersOfOthersDoNotReachTheTerminal) {
  EXPECT_THAT(TextOf({{"alerts", Verdict::kOk, "\x1b[2J"}}), Not(HasSubstr("\x1b")));
}

TEST(DoctorFindingTest, ExitStatusFollowsTheWorstVerdict) {
  const Findings fine = {{"a", Verdict::kOk, ""}, {"b", Verdict::kSkipped, ""}};
  const Findings warned = {{"a", Verdict::kWarning, ""}, {"b", Verdict::kOk, ""}};
  const Findings broken = {{"a", Verdict::kProblem, ""}, {"b", Verdict::kWarning, ""}};

  EXPECT_EQ(ExitCodeOf(fine, true, true), 0);
  EXPECT_EQ(ExitCodeOf(warned, true, false), 0);
  EXPECT_EQ(ExitCodeOf(warned, true, true), 1);
  EXPECT_EQ(ExitCodeOf(broken, true, false), 1);
  EXPECT_EQ(ExitCodeOf(broken, false, false), 3);
}

TEST(DoctorFindingTest, JsonIsWholeEvenWithBytesThatAreNoText) {
  EXPECT_THAT(FindingsToJson({{"alerts", Verdict::kOk, "a\xff"}}),
              HasSubstr("\"verdict\": \"ok\""));
}

TEST(DoctorCheckTest, SettingsAreReadAsTheAgentTellsThem) {
  v1::ListSettingsResponse response;
  const auto add = [&](const char* key, const char* value) {
    v1::Setting& one = *response.add_settings();
    one.set_key(key);
    one.set_value(value);
  };
  add("listen_addr", "[\"10.0.0.1\", \"::1\"]");
  add("auth_type", "\"trust\"");
  add("default_pool_size", "7");
  add("query_wait_timeout", "0.5");
  add("a_setting_of_tomorrow", "1");

  const config::Settings settings = SettingsOf(response);

  EXPECT_EQ(settings.listen_addr, (std::vector<std::string>{"10.0.0.1", "::1"}));
  EXPECT_EQ(settings.auth_type, config::AuthType::kTrust);
  EXPECT_EQ(settings.default_pool_size, 7);
  EXPECT_EQ(settings.query_wait_timeout, std::chrono::milliseconds(500));
}

TEST(DoctorCheckTest, DefaultSettingsDoNoHarm) {
  EXPECT_THAT(TextOf(CheckSettings(FactsOf(AgentSnapshot()))), HasSubstr("0 problems, 0 warnings"));
}

TEST(DoctorCheckTest, TrustIsAProblemOnlyWhereOthersReachThePort) {
  Facts facts = FactsOf(AgentSnapshot());
  facts.settings->auth_type = config::AuthType::kTrust;
  EXPECT_THAT(TextOf(CheckSettings(facts)), HasSubstr("0 problems"));

  facts.settings->listen_addr = {"*"};

  EXPECT_THAT(TextOf(CheckSettings(facts)),
              HasSubstr("problem  settings            auth_type = trust"));
}

TEST(DoctorCheckTest, OpenFacesEndlessWaitsAndPoolsThatNeverFillAreWarnedOf) {
  Facts facts = FactsOf(AgentSnapshot());
  facts.settings->http_listen = "[::]:6545";
  facts.settings->query_wait_timeout = Duration(0);
  facts.settings->max_db_connections = 5;
  facts.settings->max_prepared_statements = 0;

  const std::string text = TextOf(CheckSettings(facts));

  EXPECT_THAT(text, HasSubstr("http_listen = [::]:6545 is not loopback, and token_file is empty"));
  EXPECT_THAT(text,
              HasSubstr("http_listen = [::]:6545 is not loopback, and api_tls_cert_file is empty"));
  EXPECT_THAT(text, HasSubstr("query_wait_timeout = 0"));
  EXPECT_THAT(text, HasSubstr("default_pool_size = 20 is more than max_db_connections = 5"));
  EXPECT_THAT(text, HasSubstr("max_prepared_statements = 0"));
  EXPECT_THAT(text, HasSubstr("5 warnings"));
}

TEST(DoctorCheckTest, ClientsThatKeepASessionPoolAreCounted) {
  v1::Snapshot snapshot = AgentSnapshot();
  AddPool(&snapshot, "app", "alice")->set_pool_mode("session");
  Facts facts = FactsOf(snapshot);
  v1::Client client;
  client.set_state(v1::CLIENT_STATE_ACTIVE);
  client.mutable_connection()->set_database("app");
  client.mutable_connection()->set_user("alice");
  client.mutable_connection()->mutable_request_at()->set_seconds(kNow - 301);
  facts.clients = {client};

  EXPECT_THAT(TextOf(CheckSettings(facts)),
              HasSubstr("pool_mode = session of pool app/alice: 1 of 20 server connections"));
}

TEST(DoctorCheckTest, DescriptorsAreComparedWithWhatAFullHouseNeeds) {
  v1::Snapshot snapshot = AgentSnapshot();  // 1000 clients, 1024 descriptors
  AddPool(&snapshot, "app", "alice");

  const std::string text = TextOf(CheckAgent(FactsOf(snapshot), "0.1.0"));

  EXPECT_THAT(text, HasSubstr("640 of 1024 file descriptors are open, but max_client_conn 1000 + "
                              "20 server connections of pools + 100 of its own = 1120"));
}

TEST(DoctorCheckTest, AnAgentThatDrainsOrIsOfAnotherVersionIsSeen) {
  v1::Snapshot snapshot = AgentSnapshot();
  snapshot.mutable_agent()->set_state(v1::AGENT_STATE_DRAINING);

  const std::string text = TextOf(CheckAgent(FactsOf(snapshot), "9.9"));

  EXPECT_THAT(text, HasSubstr("problem  state               the agent is draining"));
  EXPECT_THAT(text, HasSubstr("pgvaletd 0.1.0, this command is 9.9"));
}

TEST(DoctorCheckTest, MaxDbConnectionsHoldsPoolsOfADatabaseTogether) {
  v1::Snapshot snapshot = AgentSnapshot();
  AddServer(&snapshot);
  for (const char* user : {"a", "b", "c", "d", "e"}) AddPool(&snapshot, "app", user);
  AddPool(&snapshot, "shop", "web");
  Facts facts = FactsOf(snapshot);

  EXPECT_THAT(TextOf(CheckMaxConnections(facts, {})),
              HasSubstr("5 pools x 20 + 1 pool x 20 = 120 server connections at most; "
                        "max_connections 100 - 3 reserved = 97: 23 too many"));
  facts.settings->max_db_connections = 30;
  EXPECT_THAT(TextOf(CheckMaxConnections(facts, {})),
              HasSubstr("30 of database app (max_db_connections) + 1 pool x 20 = 50"));
  EXPECT_THAT(TextOf(CheckMaxConnections(facts, ServerLimits{40, 3})), HasSubstr("13 too many"));
}

TEST(DoctorCheckTest, AnOldExtensionAndOneThatIsNotPreloadedSayWhatToDo) {
  v1::Snapshot snapshot = AgentSnapshot();
  AddServer(&snapshot);  // 1.0
  EXPECT_THAT(TextOf(CheckExtension(FactsOf(snapshot))),
              HasSubstr("ALTER EXTENSION pgvalet UPDATE"));

  snapshot.mutable_extension()->set_available(false);
  snapshot.mutable_extension()->set_reason("extension pgvalet is not preloaded: x");
  EXPECT_THAT(TextOf(CheckExtension(FactsOf(snapshot))), HasSubstr("shared_preload_libraries"));

  snapshot.mutable_extension()->set_reason("role \"m\" may not read the views of pgvalet: x");
  EXPECT_THAT(TextOf(CheckExtension(FactsOf(snapshot))), HasSubstr("GRANT pg_monitor"));
}

TEST(DoctorCheckTest, AlertsComeWithTheirAdviceAndLeaksApart) {
  v1::Snapshot snapshot = AgentSnapshot();
  const auto add = [&](const char* name, v1::Severity severity) {
    v1::Alert& alert = *snapshot.add_alerts();
    alert.set_name(name);
    alert.set_severity(severity);
    alert.set_component("pool app/alice");
    alert.set_message("seen");
    alert.set_recommendation("do this");
  };
  add("pool_waiters", v1::SEVERITY_CRITICAL);
  add("advice_leak", v1::SEVERITY_WARNING);
  add("paused", v1::SEVERITY_WARNING);

  const std::string alerts = TextOf(CheckAlerts(FactsOf(snapshot)));
  const std::string leaks = TextOf(CheckLeaks(FactsOf(snapshot)));

  EXPECT_THAT(alerts, HasSubstr("problem  alerts              pool_waiters, pool app/alice: seen"));
  EXPECT_THAT(alerts, Not(HasSubstr("advice_leak")));
  EXPECT_THAT(leaks, HasSubstr("warning  leaks               pool app/alice: seen"));
}

TEST(DoctorCheckTest, APinOfLongIsALeakWithItsReason) {
  v1::Snapshot snapshot = AgentSnapshot();
  v1::Pin& pin = *snapshot.add_pins();
  pin.set_database("app");
  pin.set_user("alice");
  pin.set_client("10.0.0.7");
  pin.set_age_us(400'000'000);
  pin.add_reasons()->set_reason("advisory_locks");

  EXPECT_THAT(TextOf(CheckLeaks(FactsOf(snapshot))),
              HasSubstr("longest 6m40s: app/alice from 10.0.0.7, because of advisory_locks"));
}

TEST(DoctorAddressTest, FormsOfAddressesAreTakenApart) {
  EXPECT_EQ(TargetOf("db1:6544").host, "db1");
  EXPECT_EQ(TargetOf("[::1]:6544").host, "::1");
  EXPECT_EQ(TargetOf("[::1]:6544").text(), "[::1]:6544");
  EXPECT_EQ(TargetOf("unix:///run/p").path, "/run/p");
  EXPECT_EQ(TargetOf("unix:/run/p").path, "/run/p");
}

TEST(PostgresErrorTest, SqlstateOfALoginIsFoundInTheText) {
  const Error error = SaidBy(
      "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  53300: too many "
      "connections for role \"alice\"\nLOCATION:  InitPostgres, postinit.c:1\n");

  EXPECT_EQ(error.sqlstate, "53300");
  EXPECT_EQ(error.detail, "too many connections for role \"alice\"");
  EXPECT_EQ(error.code, ErrorCode::kServer);
}

TEST(PostgresErrorTest, WhatNoServerSaidHasNoSqlstate) {
  const Error error = SaidBy(
      "connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n\tIs the server "
      "running on that host and accepting TCP/IP connections?\n");

  EXPECT_EQ(error.sqlstate, "");
  EXPECT_EQ(error.detail, "Connection refused");
}

TEST(DoctorCheckTest, AServerThatIsDownIsAProblemAlsoWhenItsPoolIsGone) {
  v1::Snapshot snapshot;
  v1::Alert& alert = *snapshot.add_alerts();
  alert.set_name("server_down");
  alert.set_component("database away");
  alert.set_database("away");
  alert.set_message("no server connection is open");

  const Findings findings = CheckServers(FactsOf(snapshot));

  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].verdict, Verdict::kProblem);
  EXPECT_EQ(findings[0].found, "database away: no server connection is open");
}

}  // namespace
}  // namespace pgvalet::cli::doctor

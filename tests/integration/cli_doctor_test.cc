// `pgvalet doctor` before real agents that are well, and that are not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/command.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kReader = "reader-token-0123456789";
constexpr const char* kController = "controller-token-0123456789";

struct DoctorTest : testing::Test {
  DoctorTest() {
    std::ofstream(token_file) << "read " << kReader << "\ncontrol " << kController << "\n";
    chmod(token_file.c_str(), 0600);
    config.SetText("grpc_listen", grpc).SetText("token_file", token_file);
    config.SetText("sampler_user", "postgres").SetText("sampler_dbname", "app");
    config.Set("sampler_interval", "0.1").Set("snapshot_interval", "0.1");
    config.Set("max_client_conn", "200").Set("admin_users", "[\"admin\"]");
    // The tests' server has the extension in another database than pgvalet.database names.
    config.Set("alert_advice", "false");
  }
  ~DoctorTest() override { unlink(token_file.c_str()); }

  void Start() { agent = std::make_unique<AgentProcess>(config); }

  CommandOutcome Doctor(const std::string& arguments,
                        const std::string& token = kController) const {
    return CallCommand("--address " + grpc + " doctor " + arguments, "PGVALET_TOKEN=" + token);
  }
  // Until it says so: the first snapshots know of nothing.
  CommandOutcome DoctorUntil(const std::string& text, const std::string& arguments = "") const {
    CommandOutcome outcome;
    EXPECT_TRUE(Eventually([&] {
      outcome = Doctor(arguments);
      return outcome.text.find(text) != std::string::npos;
    })) << "no \""
        << text << "\" in\n"
        << outcome.text;
    return outcome;
  }
  std::string AgentUri() const {
    return "'postgresql://alice@127.0.0.1:" + std::to_string(config.port()) + "/app'";
  }

  const std::string grpc = "127.0.0.1:" + std::to_string(FreePort());
  const std::string token_file = "/tmp/pgvalet-doctor-" + std::to_string(FreePort());
  AgentConfig config;
  std::unique_ptr<AgentProcess> agent;
};

TEST_F(DoctorTest, AnAgentThatIsWellHasNoProblem) {
  Start();
  Connection client(agent->To("alice"));
  client.Must("SELECT 1");

  const CommandOutcome outcome = DoctorUntil(
      "pool app/alice: 1 server connection open, 0 attempts failed",
      "--agent-uri " + AgentUri() + " --server-uri '" + TheCluster().DirectTo("postgres") + "'");

  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("0 problems"));
  EXPECT_THAT(outcome.text, HasSubstr("the agent answers, without TLS"));
  EXPECT_THAT(outcome.text, HasSubstr("its role is control"));
  EXPECT_THAT(outcome.text, HasSubstr("as this command"));
  EXPECT_THAT(outcome.text, HasSubstr("logged in as alice at app in "));
  EXPECT_THAT(outcome.text, HasSubstr("logged in as postgres at app in "));
  EXPECT_THAT(outcome.text, HasSubstr("1 pool x 20 = 20 server connections at most; "
                                      "max_connections 80 - 3 reserved = 77"));
  EXPECT_THAT(outcome.text, Not(HasSubstr("_pw")));
}

TEST_F(DoctorTest, JsonHasEveryStepOnce) {
  Start();

  const CommandOutcome outcome = Doctor("--json");

  const auto list = nlohmann::json::parse(outcome.text);
  std::map<std::string, std::string> verdicts;
  for (const auto& one : list) verdicts[one["step"]] = one["verdict"];
  for (const char* step : {"address", "connection", "grpc", "token", "version", "state",
                           "databases", "limits", "pool_port", "pool_login", "servers", "extension",
                           "max_connections", "leaks", "alerts", "settings"})
    EXPECT_TRUE(verdicts.contains(step)) << step;
  EXPECT_EQ(verdicts["grpc"], "ok");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
}

TEST_F(DoctorTest, WithoutAgentTheRestIsSkippedAndThePoolIsTriedAllTheSame) {
  const CommandOutcome outcome = Doctor("--agent-uri " + AgentUri());

  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.text,
              HasSubstr("problem  connection          " + grpc + ": Connection refused"));
  EXPECT_THAT(outcome.text, HasSubstr("→ start pgvaletd"));
  EXPECT_THAT(outcome.text, HasSubstr("skipped  grpc "));
  EXPECT_THAT(outcome.text, HasSubstr("problem  pool_port "));
  EXPECT_THAT(outcome.text, HasSubstr("skipped  settings "));
}

TEST_F(DoctorTest, AWrongTokenIsToldFromNoneAndFromOneThatMayOnlyRead) {
  Start();

  const CommandOutcome wrong = Doctor("", "some-other-token-0123456789");
  const CommandOutcome none = Doctor("", "");
  const CommandOutcome reader = Doctor("", kReader);

  EXPECT_EQ(wrong.exit_code, 3);
  EXPECT_THAT(wrong.text, HasSubstr("the agent does not take this token"));
  EXPECT_THAT(wrong.text, Not(HasSubstr("some-other-token")));
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_THAT(none.text, HasSubstr("the agent asks for a token, and there is none"));
  EXPECT_THAT(none.text, HasSubstr("PGVALET_TOKEN_FILE"));
  EXPECT_EQ(reader.exit_code, 0) << reader.text;
  EXPECT_THAT(reader.text, HasSubstr("its role is read"));
}

TEST_F(DoctorTest, AnAgentWithoutTokenFileIsLookedAtAsFarAsItTells) {
  config.Unset("token_file");
  Start();

  const CommandOutcome outcome = Doctor("", "");

  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("the agent has no token_file"));
  EXPECT_THAT(outcome.text, HasSubstr("skipped  settings "));
}

TEST_F(DoctorTest, AnotherServiceAtTheAddressIsCalledByItsName) {
  Start();

  const CommandOutcome pool =
      CallCommand("--address 127.0.0.1:" + std::to_string(config.port()) + " doctor");
  const CommandOutcome tls = Doctor("--tls");

  EXPECT_EQ(pool.exit_code, 3);
  EXPECT_THAT(pool.text, HasSubstr("PostgreSQL's protocol is spoken there, not gRPC"));
  EXPECT_EQ(tls.exit_code, 3);
  EXPECT_THAT(tls.text, HasSubstr("the agent does not speak TLS, and this command does"));
  EXPECT_THAT(tls.text, HasSubstr("→ leave out --tls"));
}

TEST_F(DoctorTest, TlsThatIsNotAskedForOrNotTrustedSaysWhichOptionIsMissing) {
  const std::string cert = token_file + ".crt", key = token_file + ".key";
  ASSERT_EQ(
      std::system(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
                   "-days 2 -subj /CN=agent -addext subjectAltName=IP:127.0.0.1 -keyout " +
                   key + " -out " + cert + " 2>/dev/null")
                      .c_str()),
      0);
  GiveToServerUser(key);
  chmod(key.c_str(), 0600);
  config.SetText("api_tls_cert_file", cert).SetText("api_tls_key_file", key);
  Start();

  const CommandOutcome plain = Doctor("");
  const CommandOutcome untrusted = Doctor("--tls");
  const CommandOutcome trusted = Doctor("--tls-ca-file " + cert);
  unlink(cert.c_str());
  unlink(key.c_str());

  EXPECT_EQ(plain.exit_code, 3);
  EXPECT_THAT(plain.text, HasSubstr("the agent speaks TLS, and this command does not"));
  EXPECT_THAT(plain.text, HasSubstr("→ add --tls"));
  EXPECT_EQ(untrusted.exit_code, 3);
  EXPECT_THAT(untrusted.text, HasSubstr("TLS does not come about"));
  EXPECT_THAT(untrusted.text, HasSubstr("→ --tls-ca-file"));
  EXPECT_EQ(trusted.exit_code, 0) << trusted.text;
  EXPECT_THAT(trusted.text, HasSubstr("the agent answers, by TLS"));
}

TEST_F(DoctorTest, APoolThatNobodyUsesIsNotMadeByLooking) {
  Start();

  const CommandOutcome first = Doctor("");
  const CommandOutcome second = DoctorUntil("running for");

  EXPECT_THAT(first.text, HasSubstr("skipped  pool_login"));
  EXPECT_THAT(second.text, HasSubstr("no pool yet: no client has logged in"));
}

TEST_F(DoctorTest, AMissingExtensionSaysHowToGetIt) {
  config.SetText("sampler_dbname", "postgres");
  Start();

  const CommandOutcome outcome = DoctorUntil("not installed in database \"postgres\"");
  const CommandOutcome strict = Doctor("--strict");

  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("→ CREATE EXTENSION pgvalet"));
  EXPECT_EQ(strict.exit_code, 1) << strict.text;
}

TEST_F(DoctorTest, ASamplerThatCannotLogInIsToldWhatToLookAt) {
  if (!TheCluster().has_extension()) GTEST_SKIP() << "this PostgreSQL has no pgvalet";
  config.SetText("sampler_user", "nobody_there");
  Start();

  const CommandOutcome outcome = DoctorUntil("cannot connect");

  EXPECT_THAT(outcome.text, HasSubstr("→ look at sampler_user"));
}

TEST_F(DoctorTest, APausedDatabaseIsAProblem) {
  Start();
  Connection client(agent->To("alice"));
  client.Must("SELECT 1");
  Connection console(agent->To("admin", "pgbouncer"));
  console.Must("PAUSE app");

  const CommandOutcome outcome = Doctor("--timeout 1");

  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text, HasSubstr("database app is paused: its clients wait"));
  EXPECT_THAT(outcome.text, HasSubstr("→ pgvalet resume app"));
}

TEST_F(DoctorTest, PoolsLargerThanTheServerAreShownAsArithmetic) {
  config.Set("default_pool_size", "100");
  Start();
  Connection client(agent->To("alice"));
  client.Must("SELECT 1");

  const CommandOutcome outcome = DoctorUntil(
      "1 pool x 100 = 100 server connections at most; max_connections 80 - 3 reserved = 77: 23 "
      "too many",
      "--server-uri '" + TheCluster().DirectTo("postgres") + "'");

  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("→ lower default_pool_size"));
}

TEST_F(DoctorTest, ASessionThatIsForgottenInATransactionIsALeak) {
  if (!TheCluster().has_extension()) GTEST_SKIP() << "this PostgreSQL has no pgvalet";
  config.Set("alert_idle_in_transaction", "0.2");
  Start();
  Connection forgotten(TheCluster().DirectTo("bob") + " application_name=nightly");
  forgotten.Must("BEGIN");

  const CommandOutcome outcome = DoctorUntil("idle in transaction for 200ms or more");

  EXPECT_THAT(outcome.text, HasSubstr("role bob, database app, application nightly"));
  EXPECT_THAT(outcome.text, HasSubstr("idle_transaction_timeout"));
}

TEST_F(DoctorTest, ADeadPoolPortIsAProblem) {
  Start();
  const std::string nobody = std::to_string(FreePort());

  const CommandOutcome outcome =
      Doctor("--agent-uri postgresql://alice@127.0.0.1:" + nobody + "/app");

  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text, HasSubstr("problem  pool_port           127.0.0.1:" + nobody +
                                      ": Connection refused"));
  EXPECT_THAT(outcome.text, HasSubstr("skipped  pool_login "));
}

TEST_F(DoctorTest, ALoginThatFailsSaysWhy) {
  config.SetText("auth_type", "scram-sha-256").UserList("\"alice\" \"alice_pw\"");
  Start();
  const std::string uri = "postgresql://alice:wrong@127.0.0.1:" + std::to_string(config.port());

  const CommandOutcome outcome = Doctor("--agent-uri " + uri + "/app");
  Connection client(agent->To("alice"));
  client.Must("SELECT 1");
  const CommandOutcome asked = DoctorUntil("pool app/alice");

  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text, HasSubstr("(28P01)"));
  EXPECT_THAT(outcome.text, Not(HasSubstr("wrong@")));
  EXPECT_THAT(asked.text, HasSubstr("alice at app would log in by scram-sha-256"));
}

TEST_F(DoctorTest, AServerThatCannotBeReachedIsAProblem) {
  const std::string nobody = std::to_string(FreePort());
  config.Database("away", "host=127.0.0.1 port=" + nobody).Set("server_login_retry", "0.1");
  config.Set("query_wait_timeout", "1").Set("alert_on_after", "0");
  Start();
  Connection client(agent->To("alice", "away"));  // is told no

  const CommandOutcome outcome = DoctorUntil("no server connection is open, and");

  EXPECT_EQ(outcome.exit_code, 1) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("→ the agent's log says why"));
}

TEST_F(DoctorTest, AConnectionStringThatCannotBeReadIsNotRepeated) {
  const CommandOutcome outcome = Doctor("--agent-uri 'postgresql//alice:secret@here'");

  EXPECT_THAT(outcome.text, HasSubstr("--agent-uri cannot be read"));
  EXPECT_THAT(outcome.text, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace pgvalet::integration

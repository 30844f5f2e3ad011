// TLS of gRPC and HTTP with real certificates and real clients.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "pgvalet/v1/stats.grpc.pb.h"
#include "support/agent_process.h"
#include "support/child_process.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

using testing::HasSubstr;
using testing::Not;

// Authorities and certificates, as openssl makes them; gone at the end.
class Certificates {
 public:
  Certificates() {
    std::filesystem::create_directories(home_);
    MakeAuthority("ours");
    MakeAuthority("theirs");
    Make("server", "ours");
    Make("renewed", "ours");
    Make("friend", "ours");
    Make("stranger", "theirs");
  }
  ~Certificates() { std::filesystem::remove_all(home_); }

  std::string cert(const std::string& name) const { return home_ / (name + ".crt"); }
  std::string key(const std::string& name) const { return home_ / (name + ".key"); }
  static std::string Read(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  // Puts another certificate and its key where the agent looks for the server's.
  void Replace(const std::string& by) const {
    std::filesystem::copy_file(cert(by), cert("server"), kOver);
    std::filesystem::copy_file(key(by), key("server"), kOver);
  }
  void Spoil() const { std::ofstream(cert("server")) << "no certificate\n"; }

 private:
  static constexpr auto kOver = std::filesystem::copy_options::overwrite_existing;

  static void Run(const std::string& command) {
    if (std::system((command + " >/dev/null 2>&1").c_str()) != 0) {
      throw std::runtime_error("failed: " + command);
    }
  }
  void MakeAuthority(const std::string& name) const {
    Run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        " -subj '/CN=" +
        name + "' -keyout " + key(name) + " -out " + cert(name));
  }
  void Make(const std::string& name, const std::string& authority) const {
    const std::string request = home_ / (name + ".csr");
    Run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=" + name +
        "' -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout " + key(name) + " -out " +
        request);
    Run("openssl x509 -req -days 2 -copy_extensions copy -in " + request + " -CA " +
        cert(authority) + " -CAkey " + key(authority) + " -CAcreateserial -out " + cert(name));
    chmod(key(name).c_str(), 0600);
  }

  const std::filesystem::path home_ =
      std::filesystem::temp_directory_path() / ("pgvalet-tls-" + std::to_string(FreePort()));
};

class TlsTest : public testing::Test {
 protected:
  explicit TlsTest(bool wants_certificates = false) {
    AgentConfig config;
    config.SetText("grpc_listen", "127.0.0.1:" + std::to_string(grpc_port_));
    config.SetText("http_listen", "127.0.0.1:" + std::to_string(http_port_));
    config.SetText("api_tls_cert_file", certificates_.cert("server"));
    config.SetText("api_tls_key_file", certificates_.key("server"));
    if (wants_certificates) config.SetText("api_tls_ca_file", certificates_.cert("ours"));
    config.SetText("log_level", "debug");
    agent_ = std::make_unique<AgentProcess>(config);
  }

  grpc::Status Ask(const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
    grpc::ChannelArguments arguments;  // a connection of its own
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto channel = grpc::CreateCustomChannel("localhost:" + std::to_string(grpc_port_),
                                                   credentials, arguments);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    v1::Snapshot snapshot;
    return v1::Stats::NewStub(channel)->GetSnapshot(&context, v1::GetSnapshotRequest(), &snapshot);
  }
  // `name` empty: without a certificate of one's own.
  std::shared_ptr<grpc::ChannelCredentials> Trusting(const std::string& authority,
                                                     const std::string& name = {}) const {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = Certificates::Read(certificates_.cert(authority));
    if (!name.empty()) {
      options.pem_cert_chain = Certificates::Read(certificates_.cert(name));
      options.pem_private_key = Certificates::Read(certificates_.key(name));
    }
    return grpc::SslCredentials(options);
  }

  // By curl, a program of others; what it prints, or its status: "exit 60".
  std::string Curl(const std::string& options, const std::string& path = "/healthz") const {
    const std::string command = "curl -sS --max-time 10 -w '%{http_code}' " + options +
                                " https://localhost:" + std::to_string(http_port_) + path + " 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    std::string said;
    char part[4096];
    for (std::size_t n = 0; (n = fread(part, 1, sizeof part, pipe)) > 0;) said.append(part, n);
    const int status = pclose(pipe);
    return status == 0 ? said : "exit " + std::to_string(WEXITSTATUS(status));
  }
  std::string Trust(const std::string& authority) const {
    return "--cacert " + certificates_.cert(authority);
  }
  std::string Show(const std::string& name) const {
    return " --cert " + certificates_.cert(name) + " --key " + certificates_.key(name);
  }
  // Whose certificate the server shows: "CN=server".
  std::string Shown(int port) const {
    const std::string command = "openssl s_client -connect localhost:" + std::to_string(port) +
                                " </dev/null 2>/dev/null | openssl x509 -noout -subject";
    FILE* pipe = popen(command.c_str(), "r");
    char line[256] = "";
    if (fgets(line, sizeof line, pipe) == nullptr) line[0] = '\0';
    pclose(pipe);
    return line;
  }
  bool IsLogged(const std::string& text) const {
    return Eventually([&] { return agent_->log().find(text) != std::string::npos; });
  }

  const int grpc_port_ = FreePort();
  const int http_port_ = FreePort();
  const Certificates certificates_;
  std::unique_ptr<AgentProcess> agent_;
};

TEST_F(TlsTest, ClientsThatTrustTheAuthorityAreServed) {
  const grpc::Status answered = Ask(Trusting("ours"));
  EXPECT_TRUE(answered.ok()) << answered.error_message();
  EXPECT_EQ(Curl(Trust("ours"), "/healthz"), "ok\n200");
  EXPECT_THAT(Curl(Trust("ours"), "/metrics"), HasSubstr("pgvalet_agent_info"));
  EXPECT_THAT(Curl(Trust("ours"), "/api/v1/stats/snapshot"), HasSubstr("\"sequence\""));
  EXPECT_THAT(agent_->log(), Not(HasSubstr("is not encrypted")));
}

TEST_F(TlsTest, ClientsThatTrustSomebodyElseRefuse) {
  EXPECT_EQ(Ask(Trusting("theirs")).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Curl(Trust("theirs")), "exit 60");
  EXPECT_TRUE(Ask(Trusting("ours")).ok());
}

TEST_F(TlsTest, ClientsInTheClearAreRefusedAndTheAgentGoesOn) {
  EXPECT_EQ(Ask(grpc::InsecureChannelCredentials()).error_code(), grpc::StatusCode::UNAVAILABLE);
  httplib::Client plain("localhost", http_port_);
  EXPECT_FALSE(plain.Get("/healthz"));
  EXPECT_TRUE(IsLogged("no TLS with a caller: http request"));

  EXPECT_TRUE(Ask(Trusting("ours")).ok());
  EXPECT_EQ(Curl(Trust("ours")), "ok\n200");
}

TEST_F(TlsTest, CallersThatNeverShakeHandsDoNotKeepOthersOut) {
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(std::make_unique<RawClient>(http_port_));
    silent.push_back(std::make_unique<RawClient>(grpc_port_));
  }

  EXPECT_EQ(Curl(Trust("ours")), "ok\n200");
  EXPECT_TRUE(Ask(Trusting("ours")).ok());
}

TEST_F(TlsTest, OldProtocolsAreRefused) {
  EXPECT_THAT(Curl(Trust("ours") + " --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0"),
              HasSubstr("exit"));
  EXPECT_EQ(Curl(Trust("ours") + " --tls-max 1.2"), "ok\n200");
}

TEST_F(TlsTest, ARenewedCertificateIsShownAfterAReload) {
  EXPECT_THAT(Shown(grpc_port_), HasSubstr("server"));
  EXPECT_THAT(Shown(http_port_), HasSubstr("server"));

  certificates_.Replace("renewed");
  agent_->Signal(SIGHUP);

  EXPECT_TRUE(Eventually([&] { return Shown(http_port_).find("renewed") != std::string::npos; }));
  EXPECT_THAT(Shown(grpc_port_), HasSubstr("renewed"));
  EXPECT_TRUE(Ask(Trusting("ours")).ok());
  EXPECT_EQ(Curl(Trust("ours")), "ok\n200");
}

TEST_F(TlsTest, ABrokenFileLeavesTheOldCertificateAndIsTold) {
  certificates_.Spoil();
  agent_->Signal(SIGHUP);

  EXPECT_TRUE(IsLogged("reload refused"));
  EXPECT_THAT(agent_->log(), HasSubstr("server.crt: expected a certificate in PEM form"));
  EXPECT_THAT(Shown(grpc_port_), HasSubstr("server"));
  EXPECT_EQ(Curl(Trust("ours")), "ok\n200");
}

class TlsOfBothSidesTest : public TlsTest {
 protected:
  TlsOfBothSidesTest() : TlsTest(/*wants_certificates=*/true) {}
};

TEST_F(TlsOfBothSidesTest, CallersWithoutACertificateOfTheAuthorityAreRefused) {
  EXPECT_EQ(Ask(Trusting("ours")).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Ask(Trusting("ours", "stranger")).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(Curl(Trust("ours")), HasSubstr("exit"));
  EXPECT_THAT(Curl(Trust("ours") + Show("stranger")), HasSubstr("exit"));

  EXPECT_TRUE(Ask(Trusting("ours", "friend")).ok());
  EXPECT_EQ(Curl(Trust("ours") + Show("friend")), "ok\n200");
}

// The health check of the container, with the certificate's authority in its environment.
TEST_F(TlsTest, TheCommandLineAsksAnEncryptedAgent) {
  const std::string status = CommandLineProgram().string() +
                             " status --address localhost:" + std::to_string(grpc_port_) +
                             " >/dev/null 2>&1";
  const auto run = [](const std::string& command) {
    return WEXITSTATUS(std::system(command.c_str()));
  };
  EXPECT_NE(run(status), 0);
  EXPECT_EQ(run("PGVALET_TLS_CA_FILE=" + certificates_.cert("ours") + " " + status), 0);
}

TEST(TlsSettingsTest, FilesThatCannotBeUsedKeepTheAgentFromStarting) {
  const Certificates certificates;
  const auto refusal = [&](const std::string& cert, const std::string& key) -> std::string {
    AgentConfig config;
    config.SetText("grpc_listen", "127.0.0.1:" + std::to_string(FreePort()));
    if (!cert.empty()) config.SetText("api_tls_cert_file", cert);
    if (!key.empty()) config.SetText("api_tls_key_file", key);
    try {
      const AgentProcess agent(config);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "it started";
  };

  EXPECT_THAT(refusal(certificates.cert("server"), certificates.key("renewed")),
              HasSubstr("expected the key of the certificate"));
  EXPECT_THAT(refusal(certificates.cert("server"), ""), HasSubstr("expected api_tls_key_file"));
  EXPECT_THAT(refusal(certificates.cert("server"), "/nonexistent"), HasSubstr("cannot read"));
  chmod(certificates.key("server").c_str(), 0644);
  EXPECT_THAT(refusal(certificates.cert("server"), certificates.key("server")),
              HasSubstr("only its owner may read"));
}

TEST(TlsSettingsTest, AnAddressThatOthersReachIsWarnedOfWithoutTls) {
  AgentConfig config;
  config.SetText("grpc_listen", "*:" + std::to_string(FreePort()));
  config.SetText("http_listen", "*:" + std::to_string(FreePort()));

  const AgentProcess agent(config);

  EXPECT_THAT(agent.log(), HasSubstr("gRPC on *:"));
  EXPECT_THAT(agent.log(), HasSubstr("HTTP on *:"));
  EXPECT_THAT(agent.log(), HasSubstr("is not encrypted"));
}

}  // namespace
}  // namespace pgvalet::integration

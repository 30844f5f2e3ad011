// GrpcTest: a real agent that answers gRPC, with tokens for a reader and a controller.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <string>

#include "support/agent_process.h"
#include "support/cluster.h"

namespace pgvalet::integration {

class GrpcTest : public testing::Test {
 protected:
  static constexpr const char* kReader = "reader-token-0123456789";
  static constexpr const char* kController = "controller-token-0123456789";

  explicit GrpcTest(AgentConfig config = {}) {
    std::ofstream(token_file_) << "read " << kReader << "\ncontrol " << kController << "\n";
    chmod(token_file_.c_str(), 0600);
    config.SetText("grpc_listen", address_).SetText("token_file", token_file_);
    config.Set("admin_users", "[\"admin\"]");
    agent = std::make_unique<AgentProcess>(config);
  }
  ~GrpcTest() override { unlink(token_file_.c_str()); }

  // With a token (empty: none), and a deadline that ends what hangs.
  static void Use(grpc::ClientContext& context, const std::string& token) {
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  }

  std::shared_ptr<grpc::Channel> Channel() const {
    return grpc::CreateChannel(address_, grpc::InsecureChannelCredentials());
  }

  const std::string address_ = "127.0.0.1:" + std::to_string(FreePort());
  const std::string token_file_ = "/tmp/pgvalet-tokens-" + std::to_string(FreePort());
  std::unique_ptr<AgentProcess> agent;
};

}  // namespace pgvalet::integration

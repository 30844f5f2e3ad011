#include "cli/client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <initializer_list>
#include <string_view>

#include "cli/text.h"

namespace pgvalet::cli {
namespace {

// A snapshot grows with the server's backends: no bound.
constexpr int kMaxSnapshotBytes = -1;

// gRPC wraps "Connection refused" into a sentence per layer; the last one is what counts.
std::string Cause(const grpc::Status& status) {
  std::string message = status.error_message();
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return message;
  for (const char* wrapping : {"remote host: ", "last error: "}) {
    const std::size_t found = message.rfind(wrapping);
    if (found != std::string::npos)
      return message.substr(found + std::string_view(wrapping).size());
  }
  return message;
}

}  // namespace

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxSnapshotBytes);
  // Else channels to one address share their connection and its pauses.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // An agent is on this machine or near it: never ask a web proxy for it.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

void UseToken(grpc::ClientContext& context, const std::string& token) {
  if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
}

Error FromStatus(const grpc::Status& status) {
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED)
    return Error{ErrorCode::kTimeout, "no answer in time", 0, ""};
  if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED ||
      status.error_code() == grpc::StatusCode::PERMISSION_DENIED) {
    return Error{ErrorCode::kAuth, "the agent does not let us in", 0,
                 Printable(status.error_message())};
  }
  return Error{ErrorCode::kIo, "the agent cannot be asked", 0, Printable(Cause(status))};
}

Result<v1::Snapshot> GetSnapshot(const std::shared_ptr<grpc::Channel>& channel,
                                 const std::string& token, Duration timeout) {
  const std::unique_ptr<v1::Stats::Stub> stub = v1::Stats::NewStub(channel);
  grpc::ClientContext context;
  UseToken(context, token);
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  v1::Snapshot snapshot;
  const grpc::Status status = stub->GetSnapshot(&context, v1::GetSnapshotRequest(), &snapshot);
  if (!status.ok()) return FromStatus(status);
  return snapshot;
}

std::string UnreachableText(const std::string& address, const Error& error) {
  if (error.code == ErrorCode::kAuth) {
    return "pgvalet: the agent at " + Printable(address) + " does not let us in: " + error.detail +
           "\nName a file with a token of its token_file by --token-file or PGVALET_TOKEN_FILE.\n";
  }
  return "pgvalet: cannot reach an agent at " + Printable(address) + ": " +
         (error.detail.empty() ? error.what : error.detail) +
         "\nIs pgvaletd running, and is its grpc_listen this address? "
         "Name another with --address or PGVALET_ADDRESS.\n";
}

}  // namespace pgvalet::cli

#include "cli/client/client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <cstdio>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string_view>
#include <utility>

#include "cli/screen/text.h"

namespace pgvalet::cli {
namespace {

using Credentials = std::shared_ptr<grpc::ChannelCredentials>;

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

Result<std::string> ReadFile(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || text.str().empty()) {
    return Error{ErrorCode::kNotFound, "cannot read a file", 0, "cannot read " + path};
  }
  return text.str();
}

Result<Credentials> CredentialsOf(const TlsOptions& tls) {
  if (!tls.used()) return grpc::InsecureChannelCredentials();
  const std::string& key_file = tls.key_file.empty() ? tls.cert_file : tls.key_file;
  grpc::SslCredentialsOptions options;
  for (const auto& [path, text] : {std::pair(&tls.ca_file, &options.pem_root_certs),
                                   std::pair(&tls.cert_file, &options.pem_cert_chain),
                                   std::pair(&key_file, &options.pem_private_key)}) {
    Result<std::string> read = ReadFile(*path);
    if (!read) return read.error();
    *text = std::move(*read);
  }
  return grpc::SslCredentials(options);
}

}  // namespace

Result<std::shared_ptr<grpc::Channel>> OpenChannel(const Common& common) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxSnapshotBytes);
  // Else channels to one address share their connection and its pauses.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // An agent is on this machine or near it: never ask a web proxy for it.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  Result<Credentials> credentials = CredentialsOf(common.tls);
  if (!credentials) return credentials.error();
  return grpc::CreateCustomChannel(common.address, *credentials, arguments);
}

void UseToken(grpc::ClientContext& context, const std::string& token) {
  if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
}

Error FromStatus(const grpc::Status& status) {
  std::string said = Printable(Cause(status));
  switch (status.error_code()) {
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return Error{ErrorCode::kTimeout, "no answer in time", 0, ""};
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED:
      return Error{ErrorCode::kAuth, "the agent does not let us in", 0, std::move(said)};
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return Error{ErrorCode::kInvalidSetting, "the agent says no", 0, std::move(said)};
    case grpc::StatusCode::UNIMPLEMENTED:
      return Error{ErrorCode::kInvalidSetting, "the agent cannot do this", 0,
                   "this agent has no such call: it is older, or has no token_file"};
    default:
      return Error{ErrorCode::kIo, "the agent cannot be asked", 0, std::move(said)};
  }
}

Result<v1::Snapshot> GetSnapshot(const Common& common, const v1::SnapshotFilter& filter) {
  v1::GetSnapshotRequest request;
  *request.mutable_filter() = filter;
  return Call<v1::Stats>(common, &v1::Stats::Stub::GetSnapshot, request);
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

int Complain(const Common& common, const Error& error) {
  const bool is_answer =
      error.code == ErrorCode::kInvalidSetting || error.code == ErrorCode::kNotFound;
  const std::string text =
      is_answer ? "pgvalet: " + error.detail + "\n" : UnreachableText(common.address, error);
  std::fputs(text.c_str(), stderr);
  if (error.code == ErrorCode::kNotFound) return kUsage;
  return is_answer ? kNo : kUnreachable;
}

}  // namespace pgvalet::cli

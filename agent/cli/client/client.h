// Client: the agent's gRPC services as this program asks them.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "cli/client/watched.h"
#include "cli/command.h"
#include "pgvalet/v1/stats.grpc.pb.h"

namespace pgvalet::cli {

// A new channel, which connects when it is used first.
// Fails with kNotFound: a file for TLS cannot be read.
Result<std::shared_ptr<grpc::Channel>> OpenChannel(const Common& common);

// Sends a bearer token with the call; an empty one is none.
void UseToken(grpc::ClientContext& context, const std::string& token);

// A failed call as an Error: kTimeout, kAuth (the agent wants a token, or another), kIo (there is
// no agent), or kInvalidSetting: the agent answered, and says no.  Error::detail says why.
Error FromStatus(const grpc::Status& status);

// For stderr: what failed, and what to look at.
std::string UnreachableText(const std::string& address, const Error& error);

// Says on stderr why a call failed; returns what the process returns.
int Complain(const Common& common, const Error& error);

// One call of `Service`, with token and deadline.
template <typename Service, typename Request, typename Response>
Result<Response> Call(const Common& common,
                      grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Response*),
                      const Request& request) {
  Result<std::shared_ptr<grpc::Channel>> channel = OpenChannel(common);
  if (!channel) return channel.error();
  const std::unique_ptr<typename Service::Stub> stub = Service::NewStub(*channel);
  grpc::ClientContext context;
  UseToken(context, common.token);
  context.set_deadline(std::chrono::system_clock::now() + common.timeout);
  Response response;
  const grpc::Status status = (stub.get()->*method)(&context, request, &response);
  if (!status.ok()) return FromStatus(status);
  return response;
}

// The newest snapshot; of it what the filter names.
Result<v1::Snapshot> GetSnapshot(const Common& common, const v1::SnapshotFilter& filter = {});

}  // namespace pgvalet::cli

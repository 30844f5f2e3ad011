// Client: the agent's gRPC service as this program asks it.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "pgvalet/v1/stats.grpc.pb.h"

namespace pgvalet::cli {

// A new channel, which connects when it is used first.
std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address);

// Sends a bearer token with the call; an empty one is none.
void UseToken(grpc::ClientContext& context, const std::string& token);

// The newest snapshot.
// Fails with kTimeout, kAuth (the agent wants a token, or another) or kIo; the detail says why.
Result<v1::Snapshot> GetSnapshot(const std::shared_ptr<grpc::Channel>& channel,
                                 const std::string& token, Duration timeout);

// A failed call as an Error.
Error FromStatus(const grpc::Status& status);

// Two lines for stderr: what failed, and what to look at.
std::string UnreachableText(const std::string& address, const Error& error);

}  // namespace pgvalet::cli

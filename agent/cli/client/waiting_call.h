// A call that may take long: the user sees how it goes, and may call it off.
#pragma once

#include <grpcpp/client_context.h>

#include <functional>

namespace pgvalet::cli {

// Runs `call` on a thread of its own; meanwhile `progress` once a second on this one.  SIGINT,
// SIGTERM and SIGHUP cancel `context`, which ends the call with CANCELLED.
grpc::Status RunWaiting(grpc::ClientContext& context, const std::function<grpc::Status()>& call,
                        const std::function<void()>& progress);

}  // namespace pgvalet::cli

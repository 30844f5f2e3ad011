// Who may make a gRPC call: what the call's metadata say, by the rule of api/authorize.h.
#pragma once

#include <grpcpp/server_context.h>

#include "api/authorize.h"

namespace pgvalet::api {

grpc::Status Authorize(const Tokens& tokens, const grpc::ServerContextBase& context,
                       TokenRole needed);

// For statistics and events: without a token file they are open to whoever reaches the address.
// `tokens` may be null, which means the same.
grpc::Status AuthorizeReading(const Tokens* tokens, const grpc::ServerContextBase& context);

}  // namespace pgvalet::api

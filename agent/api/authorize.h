// Who may make a call: one rule for gRPC and HTTP.
#pragma once

#include <grpcpp/support/status.h>

#include <string_view>

#include "api/tokens.h"

namespace pgvalet::api {

// `authorization` is what the caller sent under that name, "Bearer <token>"; empty: nothing.
//
// UNAUTHENTICATED: the agent has a token file and this is no token of it.  PERMISSION_DENIED: the
// token may not do what `needed` stands for, or the agent has no token file.
grpc::Status Authorize(const Tokens& tokens, std::string_view authorization, TokenRole needed);

// The role of the token in such a header; kNone without one.
TokenRole RoleOf(const Tokens& tokens, std::string_view authorization);

}  // namespace pgvalet::api

// A unary gRPC call that the table of calls answers.
#pragma once

#include <grpcpp/grpcpp.h>

#include "api/calls.h"
#include "api/tokens.h"

namespace pgvalet::api {

// Finds the call by the type of its request, looks whether its caller may, and runs it.  `calls`
// and `tokens` outlive the call.
grpc::ServerUnaryReactor* RunCall(Calls& calls, const Tokens& tokens,
                                  grpc::CallbackServerContext& context,
                                  const google::protobuf::Message& request,
                                  google::protobuf::Message& response);

}  // namespace pgvalet::api

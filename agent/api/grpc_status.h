// Errors of ours as gRPC says them.
#pragma once

#include <grpcpp/support/status.h>

#include "base/result.h"

namespace pgvalet::api {

grpc::Status ToStatus(const Error& error);

inline grpc::Status ToStatus(const Result<Done>& result) {
  return result ? grpc::Status::OK : ToStatus(result.error());
}

}  // namespace pgvalet::api

// SQLSTATEs as gRPC says them.
#pragma once

#include <grpcpp/support/status.h>

#include <string_view>

#include "pgvalet/v1/query.pb.h"

namespace pgvalet::api {

// By class, a few by themselves; proto/pgvalet/v1/query.proto has the table.
grpc::StatusCode StatusCodeOf(std::string_view sqlstate);

// With the error itself in the details.  `prefix` comes before its message.
grpc::Status ToStatus(const v1::PostgresError& error, std::string_view prefix = {});

}  // namespace pgvalet::api

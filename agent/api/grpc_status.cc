#include "api/grpc_status.h"

#include "api/sqlstate.h"

namespace pgvalet::api {
namespace {

constexpr std::string_view kInvalidValue = "22023";
constexpr std::string_view kUnreachable = "08006";  // the database server

grpc::StatusCode CodeOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return grpc::StatusCode::NOT_FOUND;
    case ErrorCode::kInvalidSetting:
      return error.sqlstate == kInvalidValue ? grpc::StatusCode::INVALID_ARGUMENT
                                             : grpc::StatusCode::FAILED_PRECONDITION;
    case ErrorCode::kAborted:
      return grpc::StatusCode::CANCELLED;
    case ErrorCode::kLimit:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case ErrorCode::kTimeout:
      return grpc::StatusCode::UNAVAILABLE;
    case ErrorCode::kServer:
      return StatusCodeOf(error.sqlstate);
    case ErrorCode::kIo:
      return error.sqlstate == kUnreachable ? grpc::StatusCode::UNAVAILABLE
                                            : grpc::StatusCode::INTERNAL;
    default:
      return grpc::StatusCode::INTERNAL;
  }
}

}  // namespace

grpc::Status ToStatus(const Error& error) {
  std::string text = error.what;
  if (!error.detail.empty()) text += ": " + error.detail;
  return {CodeOf(error), text};
}

}  // namespace pgvalet::api

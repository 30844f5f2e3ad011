#include "api/sqlstate.h"

#include <array>
#include <string>

namespace pgvalet::api {
namespace {

struct Entry {
  std::string_view begin;  // of the SQLSTATE; the first that fits counts
  grpc::StatusCode code;
};

constexpr auto kCodes = std::to_array<Entry>({
    {"23505", grpc::StatusCode::ALREADY_EXISTS},   {"25006", grpc::StatusCode::FAILED_PRECONDITION},
    {"3D000", grpc::StatusCode::NOT_FOUND},        {"42501", grpc::StatusCode::PERMISSION_DENIED},
    {"57014", grpc::StatusCode::CANCELLED},        {"08", grpc::StatusCode::UNAVAILABLE},
    {"0A", grpc::StatusCode::FAILED_PRECONDITION}, {"22", grpc::StatusCode::INVALID_ARGUMENT},
    {"23", grpc::StatusCode::FAILED_PRECONDITION}, {"25", grpc::StatusCode::FAILED_PRECONDITION},
    {"26", grpc::StatusCode::INVALID_ARGUMENT},    {"28", grpc::StatusCode::UNAUTHENTICATED},
    {"34", grpc::StatusCode::INVALID_ARGUMENT},    {"40", grpc::StatusCode::ABORTED},
    {"42", grpc::StatusCode::INVALID_ARGUMENT},    {"53", grpc::StatusCode::RESOURCE_EXHAUSTED},
    {"54", grpc::StatusCode::RESOURCE_EXHAUSTED},  {"55", grpc::StatusCode::FAILED_PRECONDITION},
    {"57", grpc::StatusCode::UNAVAILABLE},         {"XX", grpc::StatusCode::INTERNAL},
});

}  // namespace

grpc::StatusCode StatusCodeOf(std::string_view sqlstate) {
  for (const Entry& entry : kCodes) {
    if (sqlstate.starts_with(entry.begin)) return entry.code;
  }
  return grpc::StatusCode::UNKNOWN;
}

grpc::Status ToStatus(const v1::PostgresError& error, std::string_view prefix) {
  const grpc::StatusCode code = StatusCodeOf(error.sqlstate());
  const std::string message =
      std::string(prefix) + error.message() + " (SQLSTATE " + error.sqlstate() + ")";
  v1::StatusDetails details;
  details.set_code(code);
  details.set_message(message);
  details.add_details()->PackFrom(error);
  return {code, message, details.SerializeAsString()};
}

}  // namespace pgvalet::api

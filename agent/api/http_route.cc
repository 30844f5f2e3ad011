#include "api/http_route.h"

#include "api/json.h"

namespace pgvalet::api {
namespace {

struct Naming {
  grpc::StatusCode code;
  int http_status;
  std::string_view name;
};

constexpr Naming kNames[] = {
    {grpc::StatusCode::OK, 200, "OK"},
    {grpc::StatusCode::CANCELLED, 499, "CANCELLED"},
    {grpc::StatusCode::UNKNOWN, 500, "UNKNOWN"},
    {grpc::StatusCode::INVALID_ARGUMENT, 400, "INVALID_ARGUMENT"},
    {grpc::StatusCode::DEADLINE_EXCEEDED, 504, "DEADLINE_EXCEEDED"},
    {grpc::StatusCode::NOT_FOUND, 404, "NOT_FOUND"},
    {grpc::StatusCode::ALREADY_EXISTS, 409, "ALREADY_EXISTS"},
    {grpc::StatusCode::PERMISSION_DENIED, 403, "PERMISSION_DENIED"},
    {grpc::StatusCode::UNAUTHENTICATED, 401, "UNAUTHENTICATED"},
    {grpc::StatusCode::RESOURCE_EXHAUSTED, 429, "RESOURCE_EXHAUSTED"},
    {grpc::StatusCode::FAILED_PRECONDITION, 409, "FAILED_PRECONDITION"},
    {grpc::StatusCode::ABORTED, 409, "ABORTED"},
    {grpc::StatusCode::OUT_OF_RANGE, 400, "OUT_OF_RANGE"},
    {grpc::StatusCode::UNIMPLEMENTED, 501, "UNIMPLEMENTED"},
    {grpc::StatusCode::INTERNAL, 500, "INTERNAL"},
    {grpc::StatusCode::UNAVAILABLE, 503, "UNAVAILABLE"},
    {grpc::StatusCode::DATA_LOSS, 500, "DATA_LOSS"},
};

const Naming& NamingOf(grpc::StatusCode code) {
  for (const Naming& each : kNames) {
    if (each.code == code) return each;
  }
  return NamingOf(grpc::StatusCode::UNKNOWN);
}

}  // namespace

HttpAnswer ErrorAnswer(int http_status, const grpc::Status& error) {
  HttpAnswer answer{http_status, R"({"error":{"status":)"};
  AppendJsonString(NamingOf(error.error_code()).name, answer.body);
  answer.body += R"(,"message":)";
  AppendJsonString(error.error_message(), answer.body);
  answer.body += "}}\n";
  if (http_status == 401) answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  return answer;
}

HttpAnswer ErrorAnswer(const grpc::Status& error) {
  return ErrorAnswer(NamingOf(error.error_code()).http_status, error);
}

}  // namespace pgvalet::api

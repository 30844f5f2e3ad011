#include "api/call_routes.h"

#include <cctype>
#include <charconv>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "api/json.h"
#include "api/served_connection.h"

namespace pgvalet::api {
namespace {

using google::protobuf::Message;

constexpr std::string_view kTimeout = "timeout";
constexpr std::int64_t kMaxTimeoutSeconds = 24 * 60 * 60;

// "KillClient" as "kill_client".
std::string SnakeCase(std::string_view name) {
  std::string snake;
  for (const char c : name) {
    const bool is_upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (is_upper && !snake.empty()) snake += '_';
    snake += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return snake;
}

// What a name says behind Get or List; nothing when it begins otherwise.
std::optional<std::string_view> NounOf(std::string_view name) {
  for (const std::string_view verb : {"Get", "List"}) {
    if (name.starts_with(verb)) return name.substr(verb.size());
  }
  return std::nullopt;
}

std::unique_ptr<Message> NewMessage(const google::protobuf::Descriptor* type) {
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  return std::unique_ptr<Message>(factory->GetPrototype(type)->New());
}

grpc::Status Invalid(const std::string& message) {
  return {grpc::StatusCode::INVALID_ARGUMENT, message};
}

// Takes the parameter "timeout" out, in seconds; kTimeMax when there is none.
Result<Time> TakeDeadline(std::multimap<std::string, std::string>& params) {
  const auto found = params.find(std::string(kTimeout));
  if (found == params.end()) return Time::max();
  const std::string text = found->second;
  params.erase(found);
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc() || stop != end || !(seconds > 0) || seconds > kMaxTimeoutSeconds) {
    return Error{.code = ErrorCode::kProtocol,
                 .what = "the request is malformed",
                 .detail = "timeout: expected seconds, above 0 and at most a day"};
  }
  return Clock::now() +
         std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// Runs the call while the caller is there and its time is not over.
grpc::Status RunUntil(Calls& calls, const Call& call, const Message& request, Message& response,
                      Time deadline) {
  ServedConnection* connection = ServedConnection::OfThisThread();
  std::stop_source caller;
  grpc::Status status;
  const Signal done;
  if (!done.is_made()) return {grpc::StatusCode::RESOURCE_EXHAUSTED, "no descriptors are left"};
  const bool is_taken = calls.Start(call, request, response, caller.get_token(),
                                    [&status, &done](grpc::Status outcome) {
                                      status = std::move(outcome);
                                      done.Give();
                                    });
  if (!is_taken) return TooManyCalls();
  const ServedConnection::Wait ended = connection->WaitFor(done, deadline);
  if (ended != ServedConnection::Wait::kDone) {
    caller.request_stop();
    done.Await();
  }
  connection->RestartTime();  // the answer has all of it, however long the call took
  if (ended == ServedConnection::Wait::kTimeOver && !status.ok()) {
    return {grpc::StatusCode::DEADLINE_EXCEEDED, "the time given by \"timeout\" is over"};
  }
  return status;
}

HttpAnswer AnswerCall(Calls& calls, const Call& call, const HttpRequest& http) {
  std::multimap<std::string, std::string> params = http.params;
  const Result<Time> deadline = TakeDeadline(params);
  if (!deadline) return ErrorAnswer(Invalid(deadline.error().detail));
  if (call.ready_json && params.empty() && http.body.empty()) {
    if (const auto ready = call.ready_json()) return {200, *ready};
  }
  const std::unique_ptr<Message> request = NewMessage(call.method->input_type());
  const Result<Done> is_read =
      http.body.empty() ? FromParams(params, *request) : FromJson(http.body, *request);
  if (!is_read) return ErrorAnswer(Invalid(is_read.error().ToString()));
  const std::unique_ptr<Message> response = NewMessage(call.method->output_type());
  const grpc::Status status = RunUntil(calls, call, *request, *response, *deadline);
  if (!status.ok()) return ErrorAnswer(status);
  return {200, ToJson(*response)};
}

HttpRoute RouteOf(Calls& calls, const Call& call) {
  const std::string name = call.method->name();
  const std::string service = call.method->service()->name();
  const std::optional<std::string_view> noun = NounOf(name);
  std::string path = "/api/v1/" + SnakeCase(service);
  if (noun != service) path += "/" + SnakeCase(noun.value_or(name));
  return {.method = noun ? "GET" : "POST",
          .path = path,
          .role = call.role,
          .answer = [&calls, &call](const HttpRequest& r) { return AnswerCall(calls, call, r); }};
}

}  // namespace

std::vector<HttpRoute> CallRoutes(Calls& calls) {
  std::vector<HttpRoute> routes;
  for (const Call& call : calls.rows()) routes.push_back(RouteOf(calls, call));
  return routes;
}

}  // namespace pgvalet::api

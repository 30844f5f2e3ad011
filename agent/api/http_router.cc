#include "api/http_router.h"

#include <algorithm>
#include <utility>

#include "api/authorize.h"

namespace pgvalet::api {
namespace {

using httplib::Server;

// Headers of every answer that does not say otherwise itself.
constexpr std::pair<const char*, const char*> kHeaders[] = {
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

void Write(HttpAnswer answer, httplib::Response& response) {
  response.status = answer.status;
  for (auto& [name, value] : answer.headers) response.set_header(name, value);
  for (const auto& [name, value] : kHeaders) {
    if (!response.has_header(name)) response.set_header(name, value);
  }
  if (answer.body.empty()) return;
  response.body = std::move(answer.body);
  response.set_header("Content-Type", std::string(answer.content_type));
}

std::string_view MethodFor(std::string_view method) { return method == "HEAD" ? "GET" : method; }

HttpAnswer NotAllowed(const std::string& allowed) {
  HttpAnswer answer =
      ErrorAnswer(405, {grpc::StatusCode::UNIMPLEMENTED, "this path takes " + allowed + " only"});
  answer.headers.emplace_back("Allow", allowed);
  return answer;
}

// What httplib refuses by itself.
HttpAnswer AnswerOfItsOwn(int http_status) {
  using grpc::StatusCode;
  switch (http_status) {
    case 400:
      return ErrorAnswer(400, {StatusCode::INVALID_ARGUMENT, "this is not an HTTP request"});
    case 413:
      return ErrorAnswer(413, {StatusCode::RESOURCE_EXHAUSTED, "the request is too large"});
    case 414:
      return ErrorAnswer(414, {StatusCode::INVALID_ARGUMENT, "the path is too long"});
    default:
      return ErrorAnswer(http_status, {StatusCode::UNKNOWN, "the request cannot be answered"});
  }
}

// The Host of a request, without its port.
std::string_view HostIn(std::string_view header) {
  if (header.starts_with('[')) return header.substr(0, header.find(']') + 1);
  return header.substr(0, header.find(':'));
}

// A page from elsewhere whose name was made to lead here names itself; a caller on this machine
// names this machine.
bool NamesThisMachine(std::string_view header) {
  const std::string_view host = HostIn(header);
  return host.empty() || host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

}  // namespace

void HttpRouter::Add(HttpRoute route) {
  const std::string_view method = route.method;
  Methods& methods = routes_[route.path];
  methods.emplace(method, std::move(route));
}

void HttpRouter::Serve(Server& server) {
  server.set_pre_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        return Begin(request, response);
      });
  for (const auto& [path, methods] : routes_) {
    const auto post = methods.find("POST");
    if (post == methods.end()) continue;
    server.Post(path, [this, &route = post->second](const httplib::Request& request,
                                                    httplib::Response& response) {
      Answer(route, request, response);
    });
  }
  server.set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (response.body.empty()) Write(AnswerOfItsOwn(response.status), response);
  });
}

Server::HandlerResponse HttpRouter::Begin(const httplib::Request& request,
                                          httplib::Response& response) const {
  const auto finish = [&response](HttpAnswer answer) {
    Write(std::move(answer), response);
    return Server::HandlerResponse::Handled;
  };
  const auto found = routes_.find(request.path);
  if (found == routes_.end()) {
    return finish(ErrorAnswer({grpc::StatusCode::NOT_FOUND, "there is nothing at this path"}));
  }
  const auto route = found->second.find(MethodFor(request.method));
  if (route == found->second.end()) {
    std::string allowed;
    for (const auto& [method, each] : found->second) {
      if (!allowed.empty()) allowed += ", ";
      allowed += method == "GET" ? "GET, HEAD" : method;
    }
    return finish(NotAllowed(allowed));
  }
  if (const grpc::Status may = MayAsk(route->second, request); !may.ok()) {
    return finish(ErrorAnswer(may));
  }
  if (route->first == "POST") return Server::HandlerResponse::Unhandled;  // the body comes first
  Answer(route->second, request, response);
  return Server::HandlerResponse::Handled;
}

void HttpRouter::Answer(const HttpRoute& route, const httplib::Request& request,
                        httplib::Response& response) const {
  const std::string if_none_match = request.get_header_value("If-None-Match");
  const TokenRole role = RoleOf(tokens(), request.get_header_value("Authorization"));
  Write(route.answer({request.params, request.body, if_none_match, role, tokens().required()}),
        response);
}

const Tokens& HttpRouter::tokens() const {
  static const Tokens kNone;
  return access_.tokens != nullptr ? *access_.tokens : kNone;
}

grpc::Status HttpRouter::MayAsk(const HttpRoute& route, const httplib::Request& request) const {
  // A page from elsewhere may send what it likes to this machine, but read no answer: without
  // tokens only what changes nothing is answered.
  if (route.role == TokenRole::kRead && route.method == "GET" && !tokens().required()) {
    if (!access_.is_local) {
      return {grpc::StatusCode::PERMISSION_DENIED,
              "others than this machine reach http_listen, so reading needs a token: set "
              "token_file"};
    }
    if (!NamesThisMachine(request.get_header_value("Host"))) {
      return {grpc::StatusCode::PERMISSION_DENIED,
              "without token_file only callers that name localhost as the host are answered"};
    }
    return grpc::Status::OK;
  }
  return Authorize(tokens(), request.get_header_value("Authorization"), route.role);
}

}  // namespace pgvalet::api

// HttpRoute: one path of the HTTP face, who may ask for it, and what answers.
//
// A face of its own (the mirror of gRPC, monitoring, the page) is a function that returns such
// routes; api/http_server puts them together.  Handlers run on the threads of the listener, several
// at a time, and must not throw.
#pragma once

#include <grpcpp/support/status.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/tokens.h"

namespace pgvalet::api {

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";

// What a handler sees of a request; all of it belongs to the connection.
struct HttpRequest {
  const std::multimap<std::string, std::string>& params;  // of the URL, decoded
  std::string_view body;                                  // empty for GET and HEAD
  std::string_view if_none_match;                         // header of that name
  TokenRole role;                                         // what the caller may do at most
  bool has_tokens;                                        // the agent has a token file
};

struct HttpAnswer {
  int status = 200;
  std::string body;
  std::string_view content_type = kJson;
  // In place of the router's where the name is the same.
  std::vector<std::pair<std::string, std::string>> headers = {};
};

struct HttpRoute {
  std::string_view method;  // "GET", which answers HEAD too, or "POST"
  std::string path;         // whole, of letters, digits, '_', '-', '.' and '/'
  // kNone: everybody.  kRead: a token, if the agent has a token file; without one only callers on
  // this machine.  kControl: a token that may.
  TokenRole role;
  std::function<HttpAnswer(const HttpRequest& request)> answer;
};

// {"error": {"status": "NOT_FOUND", "message": "..."}}, with the status that HTTP has for it.
HttpAnswer ErrorAnswer(const grpc::Status& error);
// The same with another status of HTTP's.
HttpAnswer ErrorAnswer(int http_status, const grpc::Status& error);

}  // namespace pgvalet::api

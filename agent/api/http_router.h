// HttpRouter: finds the route of a request, decides whether its caller may, and answers.
//
// Owned by the HTTP server; filled before it listens, then used by many threads at a time.
#pragma once

#include <httplib.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_route.h"
#include "api/tokens.h"

namespace pgvalet::api {

struct HttpAccess {
  // Null: as if there were no token file.  Outlives the router.
  const Tokens* tokens = nullptr;
  // Only this machine reaches the listener.
  bool is_local = false;
};

class HttpRouter {
 public:
  explicit HttpRouter(HttpAccess access) : access_(access) {}

  // REQUIRES: no other route has this method and path.
  void Add(HttpRoute route);

  // Has the server answer by these routes, and nothing else.  The router outlives it.
  // REQUIRES: all routes are there.
  void Serve(httplib::Server& server);

 private:
  using Methods = std::map<std::string_view, HttpRoute>;

  // What needs no body is answered before one is read, so that nobody without a token sends any.
  httplib::Server::HandlerResponse Begin(const httplib::Request& request,
                                         httplib::Response& response) const;
  void Answer(const HttpRoute& route, const httplib::Request& request,
              httplib::Response& response) const;
  const Tokens& tokens() const;
  grpc::Status MayAsk(const HttpRoute& route, const httplib::Request& request) const;

  const HttpAccess access_;
  std::map<std::string, Methods, std::less<>> routes_;
};

}  // namespace pgvalet::api

#include "api/http_server.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <thread>
#include <utility>

#include "api/access_routes.h"
#include "api/agent_routes.h"
#include "api/call_routes.h"
#include "api/http_connection.h"
#include "api/http_router.h"
#include "api/listen_address.h"
#include "api/monitoring_routes.h"
#include "api/web_routes.h"
#include "base/log.h"

namespace pgvalet::api {
namespace {

// A socket that a process that is gone left behind.
void RemoveStaleSocket(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) ::unlink(path.c_str());
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const stats::SnapshotHub& hub, HttpServerOptions options)
      : hub_(hub), options_(std::move(options)) {}

  Result<Done> Start();
  void Stop();
  int port() const { return port_; }

 private:
  void AddRoutes();
  void Add(std::vector<HttpRoute> routes);
  // False with errno when the address cannot be had.
  bool Listen(const ListenAddress& address);
  bool Bind(const ListenAddress& address);
  const stats::SnapshotHub& hub_;
  const HttpServerOptions options_;
  std::optional<HttpRouter> router_;
  std::optional<HttpListener> listener_;  // once it is known where it listens
  int port_ = 0;
  std::thread accepting_;
};

Result<Done> HttpServer::Impl::Start() {
  if (options_.listen.empty()) return Done{};
  const Result<ListenAddress> address = ParseListenAddress(options_.listen);
  if (!address) return address.error();
  const bool is_encrypted = UsesTls(*address, options_.tls);
  if (!is_encrypted && !address->IsLocal()) WarnOfClearText("HTTP", options_.listen);
  const HttpLimits limits{.max_connections = options_.max_connections,
                          .connection_time = options_.connection_time};
  listener_.emplace(limits, is_encrypted ? options_.tls : nullptr);
  router_.emplace(HttpAccess{.tokens = options_.tokens, .is_local = address->IsLocal()});
  AddRoutes();
  errno = 0;
  if (!Listen(*address)) {
    return Error{.code = ErrorCode::kIo,
                 .what = "cannot listen for HTTP",
                 .os_errno = errno,
                 .detail = options_.listen};
  }
  accepting_ = std::thread([this, address = *address] {
    listener_->Serve([&] {
      log::warn("HTTP stopped listening, trying again: address={}", options_.listen);
      return Listen(address);
    });
  });
  return Done{};
}

void HttpServer::Impl::Stop() {
  if (!accepting_.joinable()) return;
  listener_->Stop();
  accepting_.join();
}

bool HttpServer::Impl::Listen(const ListenAddress& address) {
  if (!Bind(address)) return false;
  listener_->RaiseBacklog();
  return true;
}

bool HttpServer::Impl::Bind(const ListenAddress& address) {
  if (!address.unix_path.empty()) {
    if (address.unix_path.size() >= sizeof(sockaddr_un::sun_path)) {
      errno = ENAMETOOLONG;
      return false;
    }
    RemoveStaleSocket(address.unix_path);
    listener_->set_address_family(AF_UNIX);
    return listener_->bind_to_port(address.unix_path, /*port: not used*/ 1);
  }
  const auto bind = [&](const std::string& host) {
    if (address.port == 0) {
      port_ = listener_->bind_to_any_port(host);
      return port_ > 0;
    }
    port_ = address.port;
    return listener_->bind_to_port(host, address.port);
  };
  if (address.host != "*") return bind(address.host);
  return bind("::") || bind("0.0.0.0");  // "::" takes IPv4 too, where the machine has IPv6
}

void HttpServer::Impl::AddRoutes() {
  Add(WebRoutes());
  Add(AgentRoutes(hub_));
  Add(AccessRoutes());
  Add(MonitoringRoutes(hub_, options_.settings));
  if (options_.calls != nullptr) Add(CallRoutes(*options_.calls));
  router_->Serve(*listener_);
}

void HttpServer::Impl::Add(std::vector<HttpRoute> routes) {
  for (HttpRoute& route : routes) router_->Add(std::move(route));
}

HttpServer::HttpServer(const stats::SnapshotHub& hub, HttpServerOptions options)
    : impl_(std::make_unique<Impl>(hub, std::move(options))) {}

HttpServer::~HttpServer() { Stop(); }

Result<Done> HttpServer::Start() { return impl_->Start(); }
void HttpServer::Stop() { impl_->Stop(); }
int HttpServer::port() const { return impl_->port(); }

}  // namespace pgvalet::api

#include "api/http_server.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <thread>
#include <utility>

#include "api/http_connection.h"
#include "api/listen_address.h"
#include "api/metric_families.h"
#include "base/log.h"

namespace pgvalet::api {
namespace {

constexpr const char* kPlainText = "text/plain; charset=utf-8";
constexpr const char* kMetricsText = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* kIndex =
    "pgvalet agent\n"
    "\n"
    "/metrics  numbers for Prometheus\n"
    "/healthz  200 as long as the process answers\n"
    "/readyz   200 when clients are served, else 503 and why\n";

// Why clients are not served; null when they are.
const char* WhyNotReady(const stats::SnapshotPtr& snapshot) {
  if (!snapshot) return "the agent has not made a snapshot yet";
  const stats::AgentStatus& status = snapshot->agent.status;
  switch (status.state) {
    case stats::AgentState::kStarting:
      return "the agent is starting";
    case stats::AgentState::kDraining:
      return "the agent is draining";
    case stats::AgentState::kRunning:
      return status.listening ? nullptr : "no client socket accepts connections";
  }
  return "the agent is in a state that is not known";
}

// A socket that a process that is gone left behind.
void RemoveStaleSocket(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) ::unlink(path.c_str());
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const stats::SnapshotHub& hub, HttpServerOptions options)
      : hub_(hub),
        options_(std::move(options)),
        listener_({.max_connections = options_.max_connections,
                   .connection_time = options_.connection_time}) {}

  Result<Done> Start();
  void Stop();
  int port() const { return port_; }

 private:
  void AddPages();
  // False with errno when the address cannot be had.
  bool Listen(const ListenAddress& address);
  bool Bind(const ListenAddress& address);
  // The newest snapshot's page, made once however many scrape it; null before the first.
  std::shared_ptr<const std::string> Metrics();

  const stats::SnapshotHub& hub_;
  const HttpServerOptions options_;
  HttpListener listener_;
  int port_ = 0;
  std::thread accepting_;

  std::mutex mutex_;  // protects all below
  std::uint64_t metrics_sequence_ = 0;
  std::shared_ptr<const std::string> metrics_;
};

Result<Done> HttpServer::Impl::Start() {
  if (options_.listen.empty()) return Done{};
  const Result<ListenAddress> address = ParseListenAddress(options_.listen);
  if (!address) return address.error();
  AddPages();
  errno = 0;
  if (!Listen(*address)) {
    return Error{.code = ErrorCode::kIo,
                 .what = "cannot listen for HTTP",
                 .os_errno = errno,
                 .detail = options_.listen};
  }
  accepting_ = std::thread([this, address = *address] {
    listener_.Serve([&] {
      log::warn("HTTP stopped listening, trying again: address={}", options_.listen);
      return Listen(address);
    });
  });
  return Done{};
}

void HttpServer::Impl::Stop() {
  if (!accepting_.joinable()) return;
  listener_.Stop();
  accepting_.join();
}

bool HttpServer::Impl::Listen(const ListenAddress& address) {
  if (!Bind(address)) return false;
  listener_.RaiseBacklog();
  return true;
}

bool HttpServer::Impl::Bind(const ListenAddress& address) {
  if (!address.unix_path.empty()) {
    if (address.unix_path.size() >= sizeof(sockaddr_un::sun_path)) {
      errno = ENAMETOOLONG;
      return false;
    }
    RemoveStaleSocket(address.unix_path);
    listener_.set_address_family(AF_UNIX);
    return listener_.bind_to_port(address.unix_path, /*port: not used*/ 1);
  }
  const auto bind = [&](const std::string& host) {
    if (address.port == 0) {
      port_ = listener_.bind_to_any_port(host);
      return port_ > 0;
    }
    port_ = address.port;
    return listener_.bind_to_port(host, address.port);
  };
  if (address.host != "*") return bind(address.host);
  return bind("::") || bind("0.0.0.0");  // "::" takes IPv4 too, where the machine has IPv6
}

void HttpServer::Impl::AddPages() {
  listener_.Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(kIndex, kPlainText);
  });
  listener_.Get("/healthz", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("ok\n", kPlainText);
  });
  listener_.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
    const char* reason = WhyNotReady(hub_.Latest());
    response.status = reason ? 503 : 200;
    response.set_content(reason ? std::string("not ready: ") + reason + "\n" : "ready\n",
                         kPlainText);
  });
  listener_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    const auto metrics = Metrics();
    response.status = metrics ? 200 : 503;
    response.set_content(metrics ? *metrics : "the agent has not made a snapshot yet\n",
                         metrics ? kMetricsText : kPlainText);
  });
}

std::shared_ptr<const std::string> HttpServer::Impl::Metrics() {
  const std::lock_guard lock(mutex_);
  const stats::SnapshotPtr snapshot = hub_.Latest();
  if (snapshot && snapshot->sequence != metrics_sequence_) {
    metrics_ = std::make_shared<const std::string>(MetricsText(*snapshot));
    metrics_sequence_ = snapshot->sequence;
  }
  return metrics_;
}

HttpServer::HttpServer(const stats::SnapshotHub& hub, HttpServerOptions options)
    : impl_(std::make_unique<Impl>(hub, std::move(options))) {}

HttpServer::~HttpServer() { Stop(); }

Result<Done> HttpServer::Start() { return impl_->Start(); }
void HttpServer::Stop() { impl_->Stop(); }
int HttpServer::port() const { return impl_->port(); }

}  // namespace pgvalet::api

// HttpServer: everything that the agent answers over HTTP.
//
//   /         the dashboard (api/web_routes.h)
//   /metrics  the newest snapshot in Prometheus' text format 0.0.4
//   /healthz  200 as long as the process answers
//   /readyz   200 when the agent listens, has started and is not draining; else 503 and why.
//             Servers that are down do not make it "not ready": the agent still answers clients,
//             and taking every agent out of service would turn one fault into two.
//   /api/v1/  the unary calls of gRPC (api/call_routes.h)
//   /api/monitoring/, /metrics/...  what dashboards ask for (api/monitoring_routes.h)
//
// Owned by the daemon.  Sees snapshots and calls only.  A reader that is stuck costs one of its
// threads for at most HttpLimits::connection_time.
#pragma once

#include <memory>
#include <string>

#include "api/calls.h"
#include "api/monitoring_routes.h"
#include "api/tls.h"
#include "api/tokens.h"
#include "base/clock.h"
#include "base/result.h"
#include "stats/hub.h"

namespace pgvalet::api {

struct HttpServerOptions {
  std::string listen;                                   // setting http_listen; empty: off
  std::size_t max_connections = 32;                     // served at a time
  Duration connection_time = std::chrono::seconds(10);  // for one request and its answer
  const Tokens* tokens = nullptr;                       // null: as without a token file
  Calls* calls = nullptr;                               // null: there is no /api/v1
  SettingsSource settings = nullptr;                    // null: the configuration is not shown
  const Tls* tls = nullptr;                             // of TCP; null: never
};

class HttpServer {
 public:
  // All of it outlives the server.
  HttpServer(const stats::SnapshotHub& hub, HttpServerOptions options);
  ~HttpServer();

  // Listens and serves; does nothing when off.  kInvalidSetting: the address cannot be read.
  // kIo: it cannot be listened on (detail says where).
  // REQUIRES: not started before.
  Result<Done> Start();

  // Returns when no request is being served; those that are, are cut short.  May be called again.
  void Stop();

  // The port that is listened on; 0 when off or on a Unix socket.
  int port() const;

 private:
  class Impl;  // keeps httplib's header out of everybody else's
  std::unique_ptr<Impl> impl_;
};

}  // namespace pgvalet::api

#include "api/monitoring_routes.h"

#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "api/monitoring_json.h"
#include "base/log.h"

namespace pgvalet::api {
namespace {

using grpc::StatusCode;

// The JSON library throws what it cannot help.
HttpAnswer Guarded(const std::function<HttpAnswer()>& answer) {
  try {
    return answer();
  } catch (const std::exception& error) {
    log::error("monitoring: an answer could not be made: {}", error.what());
    return ErrorAnswer({StatusCode::INTERNAL, "the answer could not be made"});
  }
}

HttpRoute Page(const stats::SnapshotHub& hub, std::string path,
               std::string (*make)(const stats::Snapshot&)) {
  return {
      "GET", std::move(path), TokenRole::kRead, [&hub, make](const HttpRequest&) {
        return Guarded([&]() -> HttpAnswer {
          const stats::SnapshotPtr snapshot = hub.Latest();
          if (!snapshot) {
            return ErrorAnswer({StatusCode::UNAVAILABLE, "the agent has not made a snapshot yet"});
          }
          return {200, make(*snapshot)};
        });
      }};
}

}  // namespace

std::vector<HttpRoute> MonitoringRoutes(const stats::SnapshotHub& hub,
                                        const SettingsSource& settings) {
  std::vector<HttpRoute> routes = {
      Page(hub, "/api/monitoring/connection-pools", &ConnectionPoolsJson),
      Page(hub, "/api/monitoring/system-health", &SystemHealthJson),
      Page(hub, "/api/monitoring/alerts", &AlertsJson),
      Page(hub, "/metrics/database/pool", &DatabasePoolJson),
      Page(hub, "/metrics/database/health", &DatabaseHealthJson),
      Page(hub, "/metrics/performance/summary", &PerformanceSummaryJson),
  };
  if (!settings) return routes;
  routes.push_back(
      {"GET", "/metrics/database/config", TokenRole::kRead, [settings](const HttpRequest&) {
         return Guarded([&]() -> HttpAnswer { return {200, DatabaseConfigJson(settings())}; });
       }});
  return routes;
}

}  // namespace pgvalet::api

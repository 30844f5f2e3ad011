// Snapshots as the JSON of the monitoring endpoints (docs/http.md, docs/openapi.yaml).
//
// Numbers are JSON numbers, in the units that their names say; what has no value (a rate of
// nothing) is null.  Pure; any thread.
#pragma once

#include <string>

#include "control/door.h"
#include "stats/snapshot.h"

namespace pgvalet::api {

// /api/monitoring/connection-pools: each pool.
std::string ConnectionPoolsJson(const stats::Snapshot& snapshot);
// /api/monitoring/system-health: agent, server, pools and alerts in few numbers.
std::string SystemHealthJson(const stats::Snapshot& snapshot);
// /api/monitoring/alerts: Snapshot::alerts.
std::string AlertsJson(const stats::Snapshot& snapshot);
// /metrics/database/pool: all pools together.
std::string DatabasePoolJson(const stats::Snapshot& snapshot);
// /metrics/database/health: each database, and the server as the extension sees it.
std::string DatabaseHealthJson(const stats::Snapshot& snapshot);
// /metrics/performance/summary: rates and times of the window.
std::string PerformanceSummaryJson(const stats::Snapshot& snapshot);
// /metrics/database/config: the settings in force and where each came from; secrets are masked.
std::string DatabaseConfigJson(const control::EffectiveSettings& effective);

}  // namespace pgvalet::api

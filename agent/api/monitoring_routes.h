// The monitoring endpoints: what dashboards and scripts ask for, read-only, as plain JSON.
#pragma once

#include <functional>
#include <vector>

#include "api/http_route.h"
#include "control/door.h"
#include "stats/hub.h"

namespace pgvalet::api {

using SettingsSource = std::function<control::EffectiveSettings()>;

// `hub` outlives the routes.  `settings` is asked on the listener's threads; without it there is no
// /metrics/database/config.
std::vector<HttpRoute> MonitoringRoutes(const stats::SnapshotHub& hub,
                                        const SettingsSource& settings);

}  // namespace pgvalet::api

// What is asked of every agent without a token: /metrics, /healthz, /readyz.
#pragma once

#include <vector>

#include "api/http_route.h"
#include "stats/hub.h"

namespace pgvalet::api {

// `hub` outlives the routes.
std::vector<HttpRoute> AgentRoutes(const stats::SnapshotHub& hub);

}  // namespace pgvalet::api

// The unary calls of pgvalet.v1 over HTTP: /api/v1/<service>/<call>, JSON in and out.
//
// Calls whose names begin with Get or List are GET, their fields the parameters of the URL:
// Control.ListClients is /api/v1/control/clients?database=app.  All others are POST with the
// request as body: Control.KillClient is /api/v1/control/kill_client.  A word that only repeats the
// service is left out: Events.ListEvents is /api/v1/events.
#pragma once

#include <vector>

#include "api/calls.h"
#include "api/http_route.h"

namespace pgvalet::api {

// A route for each row.  `calls` outlives the routes.
std::vector<HttpRoute> CallRoutes(Calls& calls);

}  // namespace pgvalet::api

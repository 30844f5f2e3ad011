// The dashboard at "/": its page, and its files below /web/.
//
// Everybody may have them, they hold no data.  A browser asks again each time and gets 304 as long
// as the agent is the same.
#pragma once

#include <vector>

#include "api/http_route.h"

namespace pgvalet::api {

std::vector<HttpRoute> WebRoutes();

}  // namespace pgvalet::api

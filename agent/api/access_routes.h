// GET /api/v1/access: what the caller may do, so that a page need not offer what will be refused.
#pragma once

#include <vector>

#include "api/http_route.h"

namespace pgvalet::api {

// {"may_act": false, "has_tokens": true}
std::vector<HttpRoute> AccessRoutes();

}  // namespace pgvalet::api

#include "api/access_routes.h"

namespace pgvalet::api {
namespace {

HttpAnswer Access(const HttpRequest& request) {
  const auto text = [](bool value) { return value ? "true" : "false"; };
  return {200, std::string("{\"may_act\":") + text(request.role == TokenRole::kControl) +
                   ",\"has_tokens\":" + text(request.has_tokens) + "}\n"};
}

}  // namespace

std::vector<HttpRoute> AccessRoutes() {
  return {{"GET", "/api/v1/access", TokenRole::kRead, Access}};
}

}  // namespace pgvalet::api

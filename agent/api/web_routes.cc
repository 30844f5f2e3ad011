#include "api/web_routes.h"

#include <string>

#include "web/assets.h"

namespace pgvalet::api {
namespace {

constexpr std::string_view kPage = "index.html";

// Nothing but what we serve ourselves runs or is shown in the page, and no other page shows it.
constexpr const char* kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view TypeOf(std::string_view path) {
  if (path.ends_with(".html")) return "text/html; charset=utf-8";
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  if (path.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (path.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

HttpAnswer Serve(const web::Asset& asset, const HttpRequest& request) {
  const std::string etag = '"' + std::string(asset.digest) + '"';
  HttpAnswer answer{200, "", TypeOf(asset.path)};
  answer.headers = {{"ETag", etag},
                    {"Cache-Control", "no-cache"},
                    {"Content-Security-Policy", kContentSecurityPolicy},
                    {"Referrer-Policy", "no-referrer"}};
  if (request.if_none_match.find(etag) != std::string_view::npos) {
    answer.status = 304;
  } else {
    answer.body = asset.bytes;
  }
  return answer;
}

}  // namespace

std::vector<HttpRoute> WebRoutes() {
  std::vector<HttpRoute> routes;
  for (const web::Asset& asset : web::Assets()) {
    routes.push_back({.method = "GET",
                      .path = asset.path == kPage ? "/" : "/web/" + std::string(asset.path),
                      .role = TokenRole::kNone,
                      .answer = [&asset](const HttpRequest& r) { return Serve(asset, r); }});
  }
  return routes;
}

}  // namespace pgvalet::api

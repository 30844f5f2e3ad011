#include "api/listen_address.h"

#include <charconv>

namespace pgvalet::api {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

Error Unusable(std::string_view text) {
  return {.code = ErrorCode::kInvalidSetting,
          .what = "not an address to listen on",
          .detail = "\"" + std::string(text) +
                    "\"; expected host:port, [IPv6 address]:port, *:port or unix:/path"};
}

}  // namespace

bool ListenAddress::IsLocal() const {
  return !unix_path.empty() || host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::string ListenAddress::ToString() const {
  if (!unix_path.empty()) return std::string(kUnixPrefix) + unix_path;
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  ListenAddress address;
  if (text.starts_with(kUnixPrefix)) {
    address.unix_path = text.substr(kUnixPrefix.size());
    if (!address.unix_path.starts_with('/')) return Unusable(text);
    return address;
  }

  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return Unusable(text);
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return Unusable(text);  // an IPv6 address without brackets: where does the port begin?
  }
  if (host.empty()) return Unusable(text);

  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return Unusable(text);
  address.host = host;
  return address;
}

}  // namespace pgvalet::api

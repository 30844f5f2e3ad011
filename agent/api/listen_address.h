// Where gRPC and HTTP listen, as a setting says it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pgvalet::api {

struct ListenAddress {
  std::string unix_path;   // a Unix socket when not empty; then the others mean nothing
  std::string host;        // name or address without brackets; "*": all addresses
  std::uint16_t port = 0;  // 0: any free port

  // Whether only this machine can reach it.
  bool IsLocal() const;

  // As the setting would be written.
  std::string ToString() const;
};

// Understands "host:port", "[IPv6]:port", "*:port" and "unix:/path".
// kInvalidSetting, with what was expected, when `text` is none of these.
Result<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace pgvalet::api

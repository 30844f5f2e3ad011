// The first packet of a client: it has no type byte.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "wire/protocol.h"

namespace pgvalet::wire {

// As PostgreSQL's MAX_STARTUP_PACKET_LENGTH.
inline constexpr std::uint32_t kMaxStartupBytes = 10000;

enum class StartupKind : std::uint8_t { kStartup, kSslRequest, kGssEncRequest, kCancelRequest };

struct StartupPacket {
  StartupKind kind = StartupKind::kStartup;

  // kStartup
  std::uint16_t major = 3;
  std::uint16_t minor = 0;
  std::vector<std::pair<std::string, std::string>>
      parameters;                             // in the order sent, without "_pq_."
  std::vector<std::string> protocol_options;  // names that begin with "_pq_."

  // kCancelRequest
  std::uint32_t cancel_pid = 0;
  std::string cancel_secret;

  // Value of a startup parameter, or empty.
  std::string_view Find(std::string_view name) const;
};

// Length of the packet that begins at `data`, its own four bytes included; 0 when fewer than four
// bytes are there.  An error when no packet can be that long or that short.
Result<std::size_t> StartupLength(Bytes data);

// Parse one whole packet (the length included).
Result<StartupPacket> ParseStartup(Bytes packet);

}  // namespace pgvalet::wire

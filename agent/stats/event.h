// Event: something that happened, for people to read; docs/events.md lists the kinds.
//
// Texts are empty and numbers 0 where an event is about none.  The same names stand in
// proto/pgvalet/v1/events.proto.
#pragma once

#include <cstdint>
#include <string>

#include "stats/extension_sample.h"

namespace pgvalet::stats {

enum class EventSource : std::uint8_t { kAgent, kExtension };

struct Event {
  std::uint64_t sequence = 0;  // given by the log
  WallTime at{};               // none: the log says now
  EventSource source = EventSource::kAgent;
  std::string kind = {};
  std::string database = {};  // the pool, or the server's database
  std::string user = {};      // the pool's user, or the role
  std::string application_name = {};
  std::string client = {};  // numeric address, or "unix"
  std::uint32_t server_pid = 0;
  std::string rule = {};
  bool is_dry_run = false;
  std::string message = {};  // a sentence; no secrets, no texts of queries
  std::uint64_t left_out = 0;
  std::uint64_t lost_before = 0;
};

}  // namespace pgvalet::stats

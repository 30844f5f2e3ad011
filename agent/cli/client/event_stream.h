// Events of the agent, as they happen.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "cli/command.h"
#include "pgvalet/v1/events.pb.h"

namespace pgvalet::cli {

struct FollowedEvents {
  // An answer of the agent: its events, and how many were lost.
  std::function<bool(const v1::FollowEventsResponse&)> on_events;  // false: enough
  // The stream broke, and is opened again.
  std::function<void(const std::string& why)> on_break;
};

// Reads on until on_events has enough.  When the agent goes away, goes on behind the last event; of
// one that was started anew from its first.
// Returns only with the error of the first attempt, or when there was enough.
Result<Done> FollowEvents(const Common& common, v1::FollowEventsRequest request,
                          const FollowedEvents& followed);

}  // namespace pgvalet::cli

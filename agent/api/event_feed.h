// EventFeed: events of one log, and when the process that keeps it was started.
#pragma once

#include "stats/event_log.h"

namespace pgvalet::api {

struct EventFeed {
  const stats::EventLog* log = nullptr;
  stats::WallTime agent_started_at{};
};

}  // namespace pgvalet::api

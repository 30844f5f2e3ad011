// Health: one word for a pool, and one for the whole.
//
// It follows the alerts, so it is as patient as they are.  Pure; any thread.
#pragma once

#include <cstdint>

#include "stats/snapshot.h"

namespace pgvalet::advice {

enum class Health : std::uint8_t {
  kOk,
  kDegraded,  // served, with a warning or worse
  kDown,      // not served
};

// "ok", "degraded", "down".
const char* HealthName(Health health);

// kDown: the alert server_down is there for its database.  kDegraded: an alert of severity warning
// or critical is there for the pool or its database.
Health HealthOf(const stats::PoolSnapshot& pool, const stats::Snapshot& snapshot);

// kDown: clients are not let in, or there are pools and all are down.  kDegraded: an alert of
// severity warning or critical is there.
Health HealthOf(const stats::Snapshot& snapshot);

}  // namespace pgvalet::advice

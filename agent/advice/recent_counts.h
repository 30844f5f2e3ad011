// RecentCounts: what counters of a snapshot counted in the last minute.
//
// Keeps two older readings of the few counters that rules ask for, 30 s apart, and measures from
// the older one: the time covered is 30 to 60 s, since start in the first minute.
// Used on the publisher's thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "stats/snapshot.h"

namespace pgvalet::advice {

class RecentCounts {
 public:
  // Of each snapshot once, before it is asked about.
  void Take(const stats::Snapshot& snapshot);

  std::uint64_t LeaseTimeouts(const stats::PoolSnapshot& pool) const;
  std::uint64_t ConnectFailures(const stats::PoolSnapshot& pool) const;
  std::uint64_t LoginFailures(const stats::AgentHealth& agent) const;
  std::uint64_t Refused(const stats::AgentHealth& agent) const;
  // Listening connections that were lost or could not be opened.
  std::uint64_t ListeningLosses(const stats::AgentHealth& agent) const;
  std::uint64_t ListeningClientsLost(const stats::AgentHealth& agent) const;

 private:
  struct PoolCounts {
    std::string database;
    std::string user;
    std::uint64_t lease_timeouts = 0;
    std::uint64_t connect_failures = 0;
  };
  struct Reading {
    Time at{};
    std::vector<PoolCounts> pools;  // by database, then user
    std::uint64_t login_failures = 0;
    std::uint64_t refused = 0;
    std::uint64_t listening_losses = 0;
    std::uint64_t listening_clients_lost = 0;
  };

  static Reading Read(const stats::Snapshot& snapshot);
  // Since the older reading.  A pool that is not there was at 0 then.
  std::uint64_t OfPool(const stats::PoolSnapshot& pool, std::uint64_t now,
                       std::uint64_t PoolCounts::*counter) const;

  Reading older_;  // all zero: the start of the agent
  Reading newer_;
  bool has_newer_ = false;
};

}  // namespace pgvalet::advice

// Periods: what was counted in the last whole period of stats_period.
//
// A thread of its own follows the snapshots and keeps those at the ends of periods.  Thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "stats/hub.h"

namespace pgvalet::console {

// Two readings of the same counters; null: there is none yet, counting began at 0.
struct Period {
  stats::SnapshotPtr begin;
  stats::SnapshotPtr end;
};

class Periods {
 public:
  // `length` is asked before each look; `at_end` is told of each whole period, on our thread.
  Periods(const stats::SnapshotHub& hub, std::function<Duration()> length,
          std::function<void(const Period&)> at_end = nullptr);
  ~Periods() { Stop(); }
  void Stop();

  Period Last() const;

 private:
  void Follow(const std::stop_token& stop);

  const stats::SnapshotHub& hub_;
  const std::function<Duration()> length_;
  const std::function<void(const Period&)> at_end_;
  mutable std::mutex mutex_;  // protects all below
  stats::SnapshotPtr begin_;  // of the period before the one that is under way
  stats::SnapshotPtr end_;
  std::jthread thread_;
};

}  // namespace pgvalet::console

// SnapshotBuilder: reads all counters once and makes the next Snapshot.
//
// Owned by the publisher and used on its thread alone.  It remembers the snapshot that windows
// are measured from, and what pools that went away had counted.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "stats/counters.h"
#include "stats/snapshot.h"

namespace pgvalet::stats {

// One moment on both clocks.
struct Moment {
  WallTime wall{};
  Time steady{};

  static Moment Now() { return {WallNow(), Clock::now()}; }
};

// What a snapshot holds besides the counters of the registry.
struct SnapshotInputs {
  Moment now;
  Duration interval{0};  // snapshot_interval in force
  AgentStatus status;
  ProcessUsage process;
  std::shared_ptr<const ExtensionSample> extension;  // null: not read yet
};

using AlertJudge = std::function<std::vector<Alert>(const Snapshot&)>;

class SnapshotBuilder {
 public:
  // `registry` outlives the builder; nobody else calls its Collect().  The first window begins
  // at `start`.
  SnapshotBuilder(Registry& registry, Moment start);

  // The next snapshot.  Its window reaches back to the snapshot before, or, when that one is
  // less than half an interval old (it was made out of turn), to the one before it: rates over
  // a few milliseconds would say nothing.
  // `judge` is asked last; empty: there are no alerts.
  SnapshotPtr Build(SnapshotInputs inputs, const AlertJudge& judge = nullptr);

 private:
  using PoolKey = std::pair<std::string, std::string>;  // database, user

  std::vector<PoolSnapshot> CollectPools(const Registry::Collected& collected, Time now);
  AgentHealth CollectAgent(const Registry::Collected& collected, SnapshotInputs& inputs,
                           Duration window) const;

  Registry& registry_;
  const Moment start_;
  std::uint64_t sequence_ = 0;
  SnapshotPtr baseline_;                   // what windows are measured from; null before the first
  std::map<PoolKey, PoolTotals> retired_;  // parts that are gone, of pools that still have others
  PoolTotals gone_;                        // pools that are gone
  // A pool left the newest snapshot.  It may come back at 0, so no later window may reach behind
  // that snapshot.
  bool pool_left_ = false;
};

}  // namespace pgvalet::stats

// History: the last hour of every pool, in steps.
//
// Writer    one thread, with Add(), for every snapshot.  Readers  any thread.
// Memory    some 300 bytes for each step and pool, 20 MB at most.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "stats/hub.h"
#include "stats/snapshot.h"

namespace pgvalet::stats {

class History {
 public:
  static constexpr Duration kStep = std::chrono::seconds(10);
  static constexpr std::size_t kMaxPoints = 360;
  static constexpr std::size_t kMaxPools = 200;  // of more there is no history

  struct Point {
    WallTime at{};  // its end
    // At the end, but clients_waiting, longest_wait_us and clients_pinned: the highest seen.
    PoolGauges now;
    PoolWindow window;  // of the step
  };
  struct Series {
    std::string database;
    std::string user;
    std::vector<Point> points;  // oldest first
  };

  void Add(const Snapshot& snapshot);

  // All pools together, those that are gone included.
  Series Totals(WallTime since) const;
  // Of the pools that fit; an empty name fits all.  By database, then user.
  std::vector<Series> Pools(const std::string& database, const std::string& user,
                            WallTime since) const;

 private:
  struct Kept {
    bool is_begun = false;
    Time begun_at{};    // of the step
    PoolTotals before;  // at that moment
    PoolGauges highest;
    std::deque<Point> points;
  };
  using Key = std::pair<std::string, std::string>;  // database and user

  static void AddTo(Kept& kept, const Snapshot& snapshot, const PoolTotals& totals,
                    const PoolGauges& now);
  static Series SeriesOf(const Key& key, const Kept& kept, WallTime since);
  void Forget(WallTime now);

  mutable std::mutex mutex_;  // protects all below
  Kept totals_;
  std::map<Key, Kept> pools_;
};

// Puts every snapshot into the history, on a thread of its own, from its making to its end.
class HistoryRecorder {
 public:
  // Both outlive the recorder.
  HistoryRecorder(const SnapshotHub& hub, History& history);

 private:
  std::jthread thread_;
};

}  // namespace pgvalet::stats

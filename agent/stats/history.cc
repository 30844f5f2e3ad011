#include "stats/history.h"

#include <algorithm>
#include <iterator>

namespace pgvalet::stats {
namespace {

// What shows in a step even if it was over at its end.
void Raise(const PoolGauges& now, PoolGauges& highest) {
  highest.clients_waiting = std::max(highest.clients_waiting, now.clients_waiting);
  highest.longest_wait_us = std::max(highest.longest_wait_us, now.longest_wait_us);
  highest.clients_pinned = std::max(highest.clients_pinned, now.clients_pinned);
}

}  // namespace

void History::Add(const Snapshot& snapshot) {
  const PoolGauges all = SumOf(snapshot.pools);
  const std::lock_guard lock(mutex_);
  AddTo(totals_, snapshot, snapshot.totals, all);
  for (const PoolSnapshot& pool : snapshot.pools) {
    const Key key(pool.database, pool.user);
    if (pools_.size() >= kMaxPools && !pools_.contains(key)) continue;
    AddTo(pools_[key], snapshot, pool.totals, pool.now);
  }
  Forget(snapshot.time);
}

void History::AddTo(Kept& kept, const Snapshot& snapshot, const PoolTotals& totals,
                    const PoolGauges& now) {
  // A pool that went away and came back counts from 0.
  const bool is_anew =
      totals.client_logins < kept.before.client_logins || totals.leases < kept.before.leases;
  if (!kept.is_begun || is_anew) {
    kept.is_begun = true;
    kept.begun_at = snapshot.steady_time;
    kept.before = totals;
    kept.highest = {};
  }
  Raise(now, kept.highest);
  const Duration length = Since(kept.begun_at, snapshot.steady_time);
  if (length < kStep) return;
  Point point{
      .at = snapshot.time, .now = now, .window = WindowOf(totals.Since(kept.before), length)};
  Raise(kept.highest, point.now);
  kept.points.push_back(point);
  if (kept.points.size() > kMaxPoints) kept.points.pop_front();
  kept.begun_at = snapshot.steady_time;
  kept.before = totals;
  kept.highest = {};
}

// Pools that are gone stay as long as their points would.
void History::Forget(WallTime now) {
  constexpr auto kKept = kStep * kMaxPoints;
  std::erase_if(pools_, [&](const auto& entry) {
    const std::deque<Point>& points = entry.second.points;
    return !points.empty() && now - points.back().at > kKept;
  });
}

History::Series History::SeriesOf(const Key& key, const Kept& kept, WallTime since) {
  Series series{.database = key.first, .user = key.second, .points = {}};
  std::copy_if(kept.points.begin(), kept.points.end(), std::back_inserter(series.points),
               [&](const Point& point) { return point.at > since; });
  return series;
}

History::Series History::Totals(WallTime since) const {
  const std::lock_guard lock(mutex_);
  return SeriesOf({}, totals_, since);
}

HistoryRecorder::HistoryRecorder(const SnapshotHub& hub, History& history)
    : thread_([&hub, &history](const std::stop_token& stop) {
        std::uint64_t seen = 0;
        while (const SnapshotPtr snapshot = hub.WaitNewer(seen, stop)) {
          seen = snapshot->sequence;
          history.Add(*snapshot);
        }
      }) {}

std::vector<History::Series> History::Pools(const std::string& database, const std::string& user,
                                            WallTime since) const {
  std::vector<Series> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, kept] : pools_) {
    if (!database.empty() && key.first != database) continue;
    if (!user.empty() && key.second != user) continue;
    all.push_back(SeriesOf(key, kept, since));
  }
  return all;
}

}  // namespace pgvalet::stats

// What server connections cannot know yet, because the catalog has changed since.
//
// The extension reports it on whatever connection runs next; all connections concerned draw the
// consequence.  Thread-safe, without a lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace pgvalet::pool {

// Of a group: new sessions begin with other settings than those before (ALTER ROLE SET, ALTER
// DATABASE SET).
class DefaultsAge {
 public:
  // `count` is the server's count of such changes; the same count is the same change.
  void Note(std::uint64_t count, Time now) {
    if (count_.exchange(count, std::memory_order_relaxed) == count) return;
    outdated_before_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  // Is a connection from that time not to be given to anybody any more?
  bool IsOutdated(Time connected_at) const {
    return connected_at.time_since_epoch().count() <=
           outdated_before_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::int64_t> outdated_before_{INT64_MIN};
};

// Of a database: texts of statements may mean something else, or have other columns, than before.
class CatalogEpoch {
 public:
  // `count` is the server's count of such changes: it grows, and starts again with the server,
  // which only a connection that is `new_here` tells.
  void Note(std::uint64_t count, bool new_here) {
    const std::uint64_t known = count_.load(std::memory_order_relaxed);
    if (count == known || (count < known && !new_here)) return;
    count_.store(count, std::memory_order_relaxed);
    NoteChange();
  }
  // The same, seen by ourselves: by a command tag, ...
  void NoteChange() { value_.fetch_add(1, std::memory_order_relaxed); }
  // ... or by the error of a statement that was prepared before.  Clients may get many of those.
  void NoteStalePlan(Time now) {
    const std::int64_t at = now.time_since_epoch().count();
    std::int64_t last = stale_plan_at_.load(std::memory_order_relaxed);
    if (Clock::duration(at - last) <= std::chrono::seconds(1)) return;
    if (stale_plan_at_.compare_exchange_strong(last, at, std::memory_order_relaxed)) NoteChange();
  }
  // A statement that was prepared in an older epoch need not mean what it would mean now.  Never 0.
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> value_{1};
  std::atomic<std::int64_t> stale_plan_at_{INT64_MIN / 2};
};

}  // namespace pgvalet::pool

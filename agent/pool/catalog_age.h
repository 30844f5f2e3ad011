// CatalogAge: what a group's server connections cannot know yet, because the catalog has changed
// since.
//
// The extension reports both on whatever connection runs next; all connections of the group draw
// the consequence.  Thread-safe, without a lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace pgvalet::pool {

class CatalogAge {
 public:
  // New sessions begin with other settings than those before (ALTER ROLE SET, ALTER DATABASE SET).
  // `count` is the server's count of such changes; the same count is the same change.
  void NoteDefaults(std::uint64_t count, Time now) {
    if (defaults_.exchange(count, std::memory_order_relaxed) == count) return;
    outdated_before_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  // Is a connection from that time not to be given to anybody any more?
  bool IsOutdated(Time connected_at) const {
    return connected_at.time_since_epoch().count() <=
           outdated_before_.load(std::memory_order_relaxed);
  }

  // Relations have other columns than before.  `count` is the server's count of such changes: it
  // grows, and starts again with the server, which only a connection that is `new_here` tells.
  void NoteRelations(std::uint64_t count, bool new_here) {
    std::uint64_t known = relations_.load(std::memory_order_relaxed);
    if (count == known || (count < known && !new_here)) return;
    relations_.store(count, std::memory_order_relaxed);
    relations_epoch_.fetch_add(1, std::memory_order_relaxed);
  }
  // The same, seen by ourselves: by a command tag, ...
  void NoteRelationChange() { relations_epoch_.fetch_add(1, std::memory_order_relaxed); }
  // ... or by the error of a statement that was prepared before.  Clients may get many of those.
  void NoteStalePlan(Time now) {
    const std::int64_t at = now.time_since_epoch().count();
    std::int64_t last = stale_plan_at_.load(std::memory_order_relaxed);
    if (Clock::duration(at - last) <= std::chrono::seconds(1)) return;
    if (stale_plan_at_.compare_exchange_strong(last, at, std::memory_order_relaxed)) {
      NoteRelationChange();
    }
  }
  // A statement that was prepared in an older epoch need not mean what it would mean now.  Never 0.
  std::uint64_t relations_epoch() const { return relations_epoch_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> defaults_{0};
  std::atomic<std::int64_t> outdated_before_{INT64_MIN};
  std::atomic<std::uint64_t> relations_{0};
  std::atomic<std::uint64_t> relations_epoch_{1};
  std::atomic<std::int64_t> stale_plan_at_{INT64_MIN / 2};
};

}  // namespace pgvalet::pool

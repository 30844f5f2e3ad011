// SnapshotHub: where the publisher leaves the newest snapshot and readers find it.
//
// Writer    the publisher's thread, with Publish(): it swaps one pointer and wakes those who
//           wait, so no reader, however slow or however many, holds it up.
// Readers   any thread.  A reader that is slow misses snapshots; it never queues any.
// Lifetime  outlives the publisher and every reader.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

#include "base/clock.h"
#include "stats/snapshot.h"

namespace pgvalet::stats {

class SnapshotHub {
 public:
  // REQUIRES: snapshot is not null and its sequence is above that of the one before.
  void Publish(SnapshotPtr snapshot);

  // The newest snapshot; null before the first.
  SnapshotPtr Latest() const;

  // The newest snapshot that was read at `since` or later, waiting for one until `deadline`; then
  // the newest there is.
  SnapshotPtr WaitReadSince(Time since, Time deadline) const;

  // The newest snapshot whose sequence is above `after`, waiting until there is one.
  // Null when `stop` was requested first.
  SnapshotPtr WaitNewer(std::uint64_t after, const std::stop_token& stop) const;

 private:
  mutable std::mutex mutex_;  // protects latest_
  mutable std::condition_variable_any changed_;
  SnapshotPtr latest_;
};

}  // namespace pgvalet::stats

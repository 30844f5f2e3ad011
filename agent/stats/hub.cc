#include "stats/hub.h"

#include <cassert>
#include <utility>

namespace pgvalet::stats {

void SnapshotHub::Publish(SnapshotPtr snapshot) {
  assert(snapshot);
  {
    const std::lock_guard lock(mutex_);
    assert(!latest_ || latest_->sequence < snapshot->sequence);
    latest_.swap(snapshot);
  }
  changed_.notify_all();
  // The old snapshot, if this was its last reference, is freed here, outside the lock.
}

SnapshotPtr SnapshotHub::Latest() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

SnapshotPtr SnapshotHub::WaitReadSince(Time since, Time deadline) const {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline,
                      [&] { return latest_ != nullptr && latest_->steady_time >= since; });
  return latest_;
}

SnapshotPtr SnapshotHub::WaitNewer(std::uint64_t after, const std::stop_token& stop) const {
  std::unique_lock lock(mutex_);
  const bool newer =
      changed_.wait(lock, stop, [&] { return latest_ && latest_->sequence > after; });
  return newer && !stop.stop_requested() ? latest_ : nullptr;
}

}  // namespace pgvalet::stats

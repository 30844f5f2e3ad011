#include "console/period.h"

#include <utility>

namespace pgvalet::console {

Periods::Periods(const stats::SnapshotHub& hub, std::function<Duration()> length,
                 std::function<void(const Period&)> at_end)
    : hub_(hub),
      length_(std::move(length)),
      at_end_(std::move(at_end)),
      thread_([this](const std::stop_token& stop) { Follow(stop); }) {}

void Periods::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

Period Periods::Last() const {
  const std::lock_guard lock(mutex_);
  return {begin_, end_};
}

void Periods::Follow(const std::stop_token& stop) {
  std::uint64_t seen = 0;
  while (stats::SnapshotPtr snapshot = hub_.WaitNewer(seen, stop)) {
    seen = snapshot->sequence;
    const Duration length = length_();
    Period ended;
    {
      const std::lock_guard lock(mutex_);
      if (end_ && Since(end_->steady_time, snapshot->steady_time) < length) continue;
      begin_ = std::exchange(end_, std::move(snapshot));
      ended = {begin_, end_};
    }
    if (at_end_ && ended.begin) at_end_(ended);
  }
}

}  // namespace pgvalet::console

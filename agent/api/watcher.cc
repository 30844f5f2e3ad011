#include "api/watcher.h"

#include <algorithm>
#include <string>
#include <utility>

namespace pgvalet::api {
namespace {

// From one snapshot to the next that is sent: interval in snapshots, rounded.
std::uint64_t StepOf(Duration interval, Duration snapshot_interval) {
  if (snapshot_interval.count() <= 0) return 1;
  const auto rounded = (interval + snapshot_interval / 2) / snapshot_interval;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(rounded, 1));
}

}  // namespace

Watcher::Watcher(WatcherSet& set, grpc::CallbackServerContext& context, Duration interval,
                 int max_lag, v1::SnapshotFilter filter)
    : PushStream(context),
      set_(set),
      interval_(interval),
      max_lag_(static_cast<std::size_t>(max_lag)),
      filter_(std::move(filter)) {}

void Watcher::Offer(const SerializedSnapshot& snapshot) {
  std::unique_lock lock(mutex_);
  if (has_ended() || snapshot.sequence < next_) return;
  if (is_writing() && waiting_.size() >= max_lag_) {
    EndAndUnlock(lock, {grpc::StatusCode::RESOURCE_EXHAUSTED,
                        "dropped: this watcher is more than " + std::to_string(max_lag_) +
                            " snapshots behind; read faster or ask for a longer interval"});
    return;
  }
  next_ = snapshot.sequence + StepOf(interval_, snapshot.interval);
  waiting_.push_back(snapshot.bytes);  // shares the bytes
  SendAndUnlock(lock);
}

bool Watcher::Next(grpc::ByteBuffer& message) {
  if (waiting_.empty()) return false;
  message = waiting_.front();
  waiting_.pop_front();
  return true;
}

}  // namespace pgvalet::api

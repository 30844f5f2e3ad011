#include "api/watcher.h"

#include <grpc/grpc.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace pgvalet::api {
namespace {

// From one snapshot to the next that is sent: interval in snapshots, rounded.
std::uint64_t StepOf(Duration interval, Duration snapshot_interval) {
  if (snapshot_interval.count() <= 0) return 1;
  const auto rounded = (interval + snapshot_interval / 2) / snapshot_interval;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(rounded, 1));
}

class Refused final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  explicit Refused(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* Refuse(const grpc::Status& status) {
  return new Refused(status);
}

Watcher::Watcher(WatcherSet& set, grpc::CallbackServerContext& context, Duration interval,
                 int max_lag)
    : set_(set),
      context_(context),
      interval_(interval),
      max_lag_(static_cast<std::size_t>(max_lag)) {}

void Watcher::Offer(const SerializedSnapshot& snapshot) {
  std::unique_lock lock(mutex_);
  if (ended_ || snapshot.sequence < next_) return;
  if (is_writing_ && waiting_.size() >= max_lag_) {
    EndAndUnlock(lock, {grpc::StatusCode::RESOURCE_EXHAUSTED,
                        "dropped: this watcher is more than " + std::to_string(max_lag_) +
                            " snapshots behind; read faster or ask for a longer interval"});
    return;
  }
  next_ = snapshot.sequence + StepOf(interval_, snapshot.interval);
  if (is_writing_) {
    waiting_.push_back(snapshot.bytes);
    return;
  }
  WriteAndUnlock(lock, snapshot.bytes);
}

void Watcher::End(const grpc::Status& status) {
  std::unique_lock lock(mutex_);
  if (!ended_) EndAndUnlock(lock, status);
}

void Watcher::WriteAndUnlock(std::unique_lock<std::mutex>& lock, const grpc::ByteBuffer& bytes) {
  writing_ = bytes;  // shares the bytes
  is_writing_ = true;
  lock.unlock();
  // Nobody else touches writing_ before OnWriteDone(), and the call cannot finish before it.
  StartWrite(&writing_);
}

void Watcher::EndAndUnlock(std::unique_lock<std::mutex>& lock, grpc::Status status) {
  ended_ = std::move(status);
  waiting_.clear();
  if (is_writing_) {
    // A write to a client that does not read would keep Finish() waiting as well.  Cancelling
    // the call with our status ends the write and tells the client why; TryCancel() cannot say
    // why.  Still under the lock: the call lives until OnWriteDone() has had the lock.
    grpc_call_cancel_with_status(context_.c_call(),
                                 static_cast<grpc_status_code>(ended_->error_code()),
                                 ended_->error_message().c_str(), nullptr);
    lock.unlock();
  } else {
    FinishAndUnlock(lock);
  }
}

void Watcher::FinishAndUnlock(std::unique_lock<std::mutex>& lock) {
  const grpc::Status status = *ended_;
  lock.unlock();
  Finish(status);  // OnDone() may follow at once, and then this watcher is gone
}

void Watcher::OnWriteDone(bool ok) {
  std::unique_lock lock(mutex_);
  is_writing_ = false;
  if (!ok && !ended_) ended_ = grpc::Status(grpc::StatusCode::CANCELLED, "the client is gone");
  if (ended_) {
    FinishAndUnlock(lock);
    return;
  }
  if (waiting_.empty()) {
    writing_.Clear();
    return;
  }
  const grpc::ByteBuffer next = waiting_.front();
  waiting_.pop_front();
  WriteAndUnlock(lock, next);
}

void Watcher::OnCancel() { End({grpc::StatusCode::CANCELLED, "the client is gone"}); }

void Watcher::OnDone() { set_.Remove(this); }

grpc::ServerWriteReactor<grpc::ByteBuffer>* WatcherSet::Add(grpc::CallbackServerContext& context,
                                                            Duration interval,
                                                            const SerializedSnapshot& newest) {
  const auto watcher = std::make_shared<Watcher>(*this, context, interval, max_lag_);
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return Refuse(*ended_);
    if (watchers_.size() >= max_watchers_) {
      return Refuse(
          {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many watchers: this agent serves at most " +
                                                     std::to_string(max_watchers_) + " at a time"});
    }
    watchers_.emplace(watcher.get(), watcher);
  }
  if (newest.sequence > 0) watcher->Offer(newest);
  return watcher.get();
}

void WatcherSet::OfferToAll(const SerializedSnapshot& snapshot) {
  for (const auto& watcher : All()) watcher->Offer(snapshot);
}

void WatcherSet::EndAll(const grpc::Status& status) {
  {
    const std::lock_guard lock(mutex_);
    ended_ = status;
  }
  for (const auto& watcher : All()) watcher->End(status);
}

void WatcherSet::WaitUntilEmpty() {
  std::unique_lock lock(mutex_);
  emptied_.wait(lock, [&] { return watchers_.empty(); });
}

std::size_t WatcherSet::size() const {
  const std::lock_guard lock(mutex_);
  return watchers_.size();
}

void WatcherSet::Remove(const Watcher* watcher) {
  std::shared_ptr<Watcher> last;  // destroyed after the lock is gone
  const std::lock_guard lock(mutex_);
  const auto it = watchers_.find(watcher);
  if (it == watchers_.end()) return;
  last = std::move(it->second);
  watchers_.erase(it);
  if (watchers_.empty()) emptied_.notify_all();
}

std::vector<std::shared_ptr<Watcher>> WatcherSet::All() const {
  std::vector<std::shared_ptr<Watcher>> all;
  const std::lock_guard lock(mutex_);
  all.reserve(watchers_.size());
  for (const auto& [key, watcher] : watchers_) all.push_back(watcher);
  return all;
}

}  // namespace pgvalet::api

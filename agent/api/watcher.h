// Watcher: one call of WatchSnapshots.  WatcherSet: all of them.
//
// Threads   the fan-out thread offers snapshots; gRPC's threads report that a write is done or
//           that the client is gone; any thread may end them.  Each watcher has its own lock, and
//           nobody waits for a watcher.
// Lifetime  gRPC holds a watcher from its start to OnDone(); the set holds it as long.  The set
//           outlives the gRPC server.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "api/snapshot_serializer.h"

namespace pgvalet::api {

class WatcherSet;

class Watcher final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // interval zero: every snapshot.  max_lag: how many snapshots may wait while one is being
  // written.
  Watcher(WatcherSet& set, grpc::CallbackServerContext& context, Duration interval, int max_lag);

  // Sends the snapshot, now or when those before it are written, if it is this watcher's turn.
  // A watcher with max_lag snapshots waiting is ended with RESOURCE_EXHAUSTED instead.
  void Offer(const SerializedSnapshot& snapshot);

  // Ends the stream with `status`; what was not yet written is left out.  Nothing happens when
  // it has ended already.
  void End(const grpc::Status& status);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // These are called with the lock held and give it back before gRPC may call us.
  // REQUIRES: nothing is being written, and the stream has not ended.
  void WriteAndUnlock(std::unique_lock<std::mutex>& lock, const grpc::ByteBuffer& bytes);
  // REQUIRES: the stream has not ended.
  void EndAndUnlock(std::unique_lock<std::mutex>& lock, grpc::Status status);
  // REQUIRES: nothing is being written, ended_ is set, and this is called once.
  void FinishAndUnlock(std::unique_lock<std::mutex>& lock);

  WatcherSet& set_;
  grpc::CallbackServerContext& context_;
  const Duration interval_;
  const std::size_t max_lag_;

  std::mutex mutex_;          // protects all below
  std::uint64_t next_ = 0;    // snapshots below this sequence are not this watcher's turn
  grpc::ByteBuffer writing_;  // what gRPC is writing, while is_writing_
  bool is_writing_ = false;   // between StartWrite() and OnWriteDone()
  std::deque<grpc::ByteBuffer> waiting_;
  std::optional<grpc::Status> ended_;  // set once; Finish() follows when nothing is being written
};

class WatcherSet {
 public:
  WatcherSet(std::size_t max_watchers, int max_lag)
      : max_watchers_(max_watchers), max_lag_(max_lag) {}

  // Starts a stream that begins with `newest`.
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Add(grpc::CallbackServerContext& context,
                                                  Duration interval,
                                                  const SerializedSnapshot& newest);

  void OfferToAll(const SerializedSnapshot& snapshot);

  // Ends all streams with `status`, and those that still come.
  void EndAll(const grpc::Status& status);

  // Returns when no watcher is left.
  // REQUIRES: EndAll() was called, and the gRPC server cancels calls that do not end.
  void WaitUntilEmpty();

  std::size_t size() const;

  // For a watcher that is done; may destroy it.
  void Remove(const Watcher* watcher);

 private:
  std::vector<std::shared_ptr<Watcher>> All() const;

  const std::size_t max_watchers_;
  const int max_lag_;
  mutable std::mutex mutex_;  // protects all below; never held while a watcher's is taken
  std::condition_variable emptied_;
  std::unordered_map<const Watcher*, std::shared_ptr<Watcher>> watchers_;
  std::optional<grpc::Status> ended_;
};

// A stream that ends at once with `status`.
grpc::ServerWriteReactor<grpc::ByteBuffer>* Refuse(const grpc::Status& status);

}  // namespace pgvalet::api

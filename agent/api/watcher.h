// Watcher: one call of WatchSnapshots.
//
// The fan-out thread offers it every snapshot; it takes those that are its turn, and is dropped
// when it lags behind.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <deque>

#include "api/push_stream.h"
#include "api/snapshot_serializer.h"

namespace pgvalet::api {

class Watcher;
using WatcherSet = StreamSet<Watcher, grpc::ByteBuffer>;

class Watcher final : public PushStream<grpc::ByteBuffer> {
 public:
  // interval zero: every snapshot.  max_lag: how many snapshots may wait while one is being
  // written.
  Watcher(WatcherSet& set, grpc::CallbackServerContext& context, Duration interval, int max_lag,
          v1::SnapshotFilter filter);

  const v1::SnapshotFilter& filter() const { return filter_; }

  // Sends the snapshot, now or when those before it are written, if it is this watcher's turn.
  // A watcher with max_lag snapshots waiting is ended with RESOURCE_EXHAUSTED instead.
  void Offer(const SerializedSnapshot& snapshot);

  void OnDone() override { set_.Remove(this); }

 private:
  bool Next(grpc::ByteBuffer& message) override;

  WatcherSet& set_;
  const Duration interval_;
  const std::size_t max_lag_;
  const v1::SnapshotFilter filter_;

  // Protected by mutex_.
  std::uint64_t next_ = 0;  // snapshots below this sequence are not this watcher's turn
  std::deque<grpc::ByteBuffer> waiting_;
};

}  // namespace pgvalet::api

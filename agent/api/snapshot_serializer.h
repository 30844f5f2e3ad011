// SnapshotSerializer: the newest snapshot as bytes, made once however many ask for it.
//
// Thread-safe.  Lifetime: the server's; copies of its buffers share their memory and may
// outlive it.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "pgvalet/v1/stats.pb.h"
#include "stats/hub.h"

namespace pgvalet::api {

// One snapshot, ready to be sent.
struct SerializedSnapshot {
  std::uint64_t sequence = 0;  // 0: there is no snapshot yet, and no bytes
  Duration interval{0};        // snapshot_interval when it was made
  grpc::ByteBuffer bytes;
};

class SnapshotSerializer {
 public:
  // `hub` outlives the serializer.
  explicit SnapshotSerializer(const stats::SnapshotHub& hub) : hub_(hub) {}

  SerializedSnapshot Newest();
  // The newest with what the filter wants, made once for all with the same filter.
  // REQUIRES: Check(filter) is OK.
  SerializedSnapshot Newest(const v1::SnapshotFilter& filter);

  // How many snapshots were serialized.
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  const stats::SnapshotHub& hub_;
  std::mutex mutex_;  // protects newest_ and filtered_
  SerializedSnapshot newest_;
  std::map<std::string, SerializedSnapshot> filtered_;  // of newest_, by filter
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace pgvalet::api

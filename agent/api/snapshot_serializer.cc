#include "api/snapshot_serializer.h"

#include <google/protobuf/arena.h>
#include <grpcpp/support/slice.h>

#include "api/snapshot_filter.h"
#include "api/snapshot_proto.h"

namespace pgvalet::api {
namespace {

// More filters than this are not remembered.
constexpr std::size_t kMaxFilters = 64;

// `filter` may be null.
grpc::ByteBuffer ToBytes(const stats::Snapshot& snapshot, const v1::SnapshotFilter* filter) {
  google::protobuf::Arena arena;
  auto* message = google::protobuf::Arena::CreateMessage<v1::Snapshot>(&arena);
  FillProto(snapshot, *message);
  if (filter != nullptr) Apply(*filter, *message);
  grpc::Slice slice(message->ByteSizeLong());
  message->SerializeWithCachedSizesToArray(const_cast<std::uint8_t*>(slice.begin()));
  return {&slice, 1};
}

}  // namespace

SerializedSnapshot SnapshotSerializer::Newest() {
  const std::lock_guard lock(mutex_);
  const stats::SnapshotPtr snapshot = hub_.Latest();
  if (snapshot && snapshot->sequence != newest_.sequence) {
    newest_ = {snapshot->sequence, snapshot->interval, ToBytes(*snapshot, nullptr)};
    filtered_.clear();
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  return newest_;
}

SerializedSnapshot SnapshotSerializer::Newest(const v1::SnapshotFilter& filter) {
  const std::string key = filter.SerializeAsString();
  const SerializedSnapshot whole = Newest();
  if (key.empty() || whole.sequence == 0) return whole;
  const std::lock_guard lock(mutex_);
  const auto known = filtered_.find(key);
  if (known != filtered_.end()) return known->second;
  const stats::SnapshotPtr snapshot = hub_.Latest();
  const SerializedSnapshot made{snapshot->sequence, snapshot->interval,
                                ToBytes(*snapshot, &filter)};
  // A newer one than the whole that is remembered: those who want it come again.
  if (made.sequence == newest_.sequence && filtered_.size() < kMaxFilters) filtered_[key] = made;
  return made;
}

}  // namespace pgvalet::api

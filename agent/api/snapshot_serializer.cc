#include "api/snapshot_serializer.h"

#include <google/protobuf/arena.h>
#include <grpcpp/support/slice.h>

#include "api/snapshot_proto.h"

namespace pgvalet::api {
namespace {

grpc::ByteBuffer ToBytes(const stats::Snapshot& snapshot) {
  google::protobuf::Arena arena;
  auto* message = google::protobuf::Arena::CreateMessage<v1::Snapshot>(&arena);
  FillProto(snapshot, *message);
  grpc::Slice slice(message->ByteSizeLong());
  message->SerializeWithCachedSizesToArray(const_cast<std::uint8_t*>(slice.begin()));
  return {&slice, 1};
}

}  // namespace

SerializedSnapshot SnapshotSerializer::Newest() {
  const std::lock_guard lock(mutex_);
  const stats::SnapshotPtr snapshot = hub_.Latest();
  if (snapshot && snapshot->sequence != newest_.sequence) {
    newest_ = {snapshot->sequence, snapshot->interval, ToBytes(*snapshot)};
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  return newest_;
}

}  // namespace pgvalet::api

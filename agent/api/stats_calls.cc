#include "api/stats_calls.h"

#include <google/protobuf/arena.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "api/json.h"
#include "api/snapshot_proto.h"
#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::api {
namespace {

// The newest snapshot as JSON, made once however many ask for it.  Thread-safe.
class SnapshotJson {
 public:
  explicit SnapshotJson(const stats::SnapshotHub& hub) : hub_(hub) {}

  // Null before the first.
  std::shared_ptr<const std::string> Newest() {
    const std::lock_guard lock(mutex_);
    const stats::SnapshotPtr snapshot = hub_.Latest();
    if (snapshot && snapshot->sequence != sequence_) {
      google::protobuf::Arena arena;
      auto* message = google::protobuf::Arena::CreateMessage<v1::Snapshot>(&arena);
      FillProto(*snapshot, *message);
      json_ = std::make_shared<const std::string>(ToJson(*message));
      sequence_ = snapshot->sequence;
    }
    return json_;
  }

 private:
  const stats::SnapshotHub& hub_;
  std::mutex mutex_;  // protects all below
  std::uint64_t sequence_ = 0;
  std::shared_ptr<const std::string> json_;
};

}  // namespace

void AddStatsCalls(Calls& calls, const stats::SnapshotHub& hub) {
  Call& call = calls.Add<v1::GetSnapshotRequest, v1::Snapshot>(
      "Stats.GetSnapshot", TokenRole::kRead,
      [&hub](const v1::GetSnapshotRequest&, v1::Snapshot& snapshot, const std::stop_token&) {
        const stats::SnapshotPtr newest = hub.Latest();
        if (!newest) {
          return grpc::Status(grpc::StatusCode::UNAVAILABLE,
                              "the agent has not made a snapshot yet");
        }
        FillProto(*newest, snapshot);
        return grpc::Status::OK;
      });
  call.ready_json = [json = std::make_shared<SnapshotJson>(hub)] { return json->Newest(); };
}

}  // namespace pgvalet::api

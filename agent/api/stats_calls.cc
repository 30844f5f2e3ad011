#include "api/stats_calls.h"

#include <google/protobuf/arena.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "api/json.h"
#include "api/proto_time.h"
#include "api/snapshot_filter.h"
#include "api/snapshot_proto.h"
#include "base/clean_text.h"
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

void FillSeries(const stats::History::Series& series, v1::PoolHistory& message) {
  message.set_database(CleanText(series.database));
  message.set_user(CleanText(series.user));
  for (const stats::History::Point& point : series.points) {
    v1::HistoryPoint& added = *message.add_points();
    SetTime(point.at, added, &v1::HistoryPoint::mutable_at);
    FillProto(point.now, *added.mutable_now());
    FillProto(point.window, *added.mutable_window());
  }
}

void FillHistory(const stats::SnapshotHub& hub, const stats::History& history,
                 const v1::GetHistoryRequest& request, v1::GetHistoryResponse& response) {
  const stats::WallTime since =
      request.has_since()
          ? stats::WallTime(std::chrono::microseconds(
                google::protobuf::util::TimeUtil::TimestampToMicroseconds(request.since())))
          : stats::WallTime{};
  const stats::SnapshotPtr newest = hub.Latest();
  const Duration interval = newest ? newest->interval : Duration{0};
  response.set_step_us(std::max(stats::History::kStep, interval).count());
  if (request.database().empty() && request.user().empty()) {
    FillSeries(history.Totals(since), *response.mutable_totals());
  }
  for (const auto& series : history.Pools(request.database(), request.user(), since)) {
    FillSeries(series, *response.add_pools());
  }
}

}  // namespace

void AddStatsCalls(Calls& calls, const stats::SnapshotHub& hub, const stats::History& history) {
  Call& call = calls.Add<v1::GetSnapshotRequest, v1::Snapshot>(
      "Stats.GetSnapshot", TokenRole::kRead,
      [&hub](const v1::GetSnapshotRequest& request, v1::Snapshot& snapshot,
             const std::stop_token&) {
        if (const grpc::Status valid = Check(request.filter()); !valid.ok()) return valid;
        const stats::SnapshotPtr newest = hub.Latest();
        if (!newest) {
          return grpc::Status(grpc::StatusCode::UNAVAILABLE,
                              "the agent has not made a snapshot yet");
        }
        FillProto(*newest, snapshot);
        Apply(request.filter(), snapshot);
        return grpc::Status::OK;
      });
  call.ready_json = [json = std::make_shared<SnapshotJson>(hub)] { return json->Newest(); };
  Call& past = calls.Add<v1::GetHistoryRequest, v1::GetHistoryResponse>(
      "Stats.GetHistory", TokenRole::kRead,
      [&hub, &history](const v1::GetHistoryRequest& request, v1::GetHistoryResponse& response,
                       const std::stop_token&) {
        FillHistory(hub, history, request, response);
        return grpc::Status::OK;
      });
  past.is_open_without_tokens = true;
}

}  // namespace pgvalet::api

#include "api/stats_service.h"

#include <chrono>
#include <variant>

namespace pgvalet::api {
namespace {

constexpr std::int64_t kMaxIntervalSeconds = 24 * 60 * 60;
constexpr std::int32_t kNanosPerSecond = 1'000'000'000;

// The interval asked for, or why it cannot be used.
std::variant<Duration, grpc::Status> IntervalOf(const grpc::ByteBuffer& request) {
  v1::WatchSnapshotsRequest message;
  grpc::ByteBuffer copy = request;  // reading consumes it
  if (!grpc::SerializationTraits<v1::WatchSnapshotsRequest>::Deserialize(&copy, &message).ok()) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                        "the request is not a pgvalet.v1.WatchSnapshotsRequest");
  }
  const google::protobuf::Duration& interval = message.interval();
  if (interval.seconds() < 0 || interval.nanos() < 0) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "interval is negative");
  }
  if (interval.nanos() >= kNanosPerSecond) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                        "interval is malformed: nanos must be below 1000000000");
  }
  if (interval.seconds() > kMaxIntervalSeconds ||
      (interval.seconds() == kMaxIntervalSeconds && interval.nanos() > 0)) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "interval is above one day");
  }
  return std::chrono::seconds(interval.seconds()) +
         std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(interval.nanos()));
}

}  // namespace

grpc::ServerUnaryReactor* StatsService::GetSnapshot(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* /*request*/,
                                                    grpc::ByteBuffer* response) {
  const SerializedSnapshot newest = serializer_.Newest();
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (newest.sequence == 0) {
    reactor->Finish({grpc::StatusCode::UNAVAILABLE, "the agent has not made a snapshot yet"});
  } else {
    *response = newest.bytes;
    reactor->Finish(grpc::Status::OK);
  }
  return reactor;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* StatsService::WatchSnapshots(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  const auto interval = IntervalOf(*request);
  if (const auto* refused = std::get_if<grpc::Status>(&interval)) return Refuse(*refused);
  return watchers_.Add(*context, std::get<Duration>(interval), serializer_.Newest());
}

}  // namespace pgvalet::api

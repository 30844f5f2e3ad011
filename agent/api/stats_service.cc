#include "api/stats_service.h"

#include <chrono>
#include <memory>
#include <variant>

#include "api/grpc_authorize.h"

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
  if (const grpc::Status allowed = AuthorizeReading(tokens_, *context); !allowed.ok()) {
    reactor->Finish(allowed);
  } else if (newest.sequence == 0) {
    reactor->Finish({grpc::StatusCode::UNAVAILABLE, "the agent has not made a snapshot yet"});
  } else {
    *response = newest.bytes;
    reactor->Finish(grpc::Status::OK);
  }
  return reactor;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* StatsService::WatchSnapshots(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  if (const grpc::Status allowed = AuthorizeReading(tokens_, *context); !allowed.ok()) {
    return RefuseStream<grpc::ByteBuffer>(allowed);
  }
  const auto interval = IntervalOf(*request);
  if (const auto* refused = std::get_if<grpc::Status>(&interval)) {
    return RefuseStream<grpc::ByteBuffer>(*refused);
  }
  const auto watcher =
      std::make_shared<Watcher>(watchers_, *context, std::get<Duration>(interval), max_lag_);
  auto* stream = watchers_.Add(watcher);
  const SerializedSnapshot newest = serializer_.Newest();
  if (stream == watcher.get() && newest.sequence > 0) watcher->Offer(newest);
  return stream;
}

}  // namespace pgvalet::api

#include "api/stats_service.h"

#include <chrono>
#include <memory>

#include "api/grpc_authorize.h"
#include "api/snapshot_filter.h"
#include "api/unary_call.h"

namespace pgvalet::api {
namespace {

constexpr std::int64_t kMaxIntervalSeconds = 24 * 60 * 60;
constexpr std::int32_t kNanosPerSecond = 1'000'000'000;

// Reading consumes the bytes.
template <typename Message>
grpc::Status Read(grpc::ByteBuffer bytes, Message& message) {
  if (grpc::SerializationTraits<Message>::Deserialize(&bytes, &message).ok()) {
    return grpc::Status::OK;
  }
  return {grpc::StatusCode::INVALID_ARGUMENT,
          "the request is not a " + Message::descriptor()->full_name()};
}

grpc::Status Check(const google::protobuf::Duration& interval) {
  if (interval.seconds() < 0 || interval.nanos() < 0) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "interval is negative"};
  }
  if (interval.nanos() >= kNanosPerSecond) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            "interval is malformed: nanos must be below 1000000000"};
  }
  if (interval.seconds() > kMaxIntervalSeconds ||
      (interval.seconds() == kMaxIntervalSeconds && interval.nanos() > 0)) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "interval is above one day"};
  }
  return grpc::Status::OK;
}

Duration IntervalOf(const google::protobuf::Duration& interval) {
  return std::chrono::seconds(interval.seconds()) +
         std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(interval.nanos()));
}

}  // namespace

grpc::ServerUnaryReactor* StatsService::GetSnapshot(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request,
                                                    grpc::ByteBuffer* response) {
  v1::GetSnapshotRequest message;
  grpc::Status status = AuthorizeReading(tokens_, *context);
  if (status.ok()) status = Read(*request, message);
  if (status.ok()) status = api::Check(message.filter());
  if (status.ok()) {
    const SerializedSnapshot newest = serializer_.Newest(message.filter());
    if (newest.sequence == 0) {
      status = {grpc::StatusCode::UNAVAILABLE, "the agent has not made a snapshot yet"};
    } else {
      *response = newest.bytes;
    }
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

grpc::ServerUnaryReactor* StatsService::Run(grpc::CallbackServerContext& context,
                                            const google::protobuf::Message& request,
                                            google::protobuf::Message& response) {
  if (calls_ != nullptr && tokens_ != nullptr) {
    return RunCall(*calls_, *tokens_, context, request, response);
  }
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  reactor->Finish({grpc::StatusCode::UNIMPLEMENTED, "this agent has snapshots only"});
  return reactor;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* StatsService::WatchSnapshots(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  v1::WatchSnapshotsRequest message;
  grpc::Status status = AuthorizeReading(tokens_, *context);
  if (status.ok()) status = Read(*request, message);
  if (status.ok()) status = Check(message.interval());
  if (status.ok()) status = api::Check(message.filter());
  if (!status.ok()) return RefuseStream<grpc::ByteBuffer>(status);
  const auto watcher = std::make_shared<Watcher>(
      watchers_, *context, IntervalOf(message.interval()), max_lag_, message.filter());
  auto* stream = watchers_.Add(watcher);
  const SerializedSnapshot newest = serializer_.Newest(message.filter());
  if (stream == watcher.get() && newest.sequence > 0) watcher->Offer(newest);
  return stream;
}

}  // namespace pgvalet::api

#include "api/events_service.h"

#include <cstdint>
#include <memory>

#include "api/grpc_authorize.h"

namespace pgvalet::api {
namespace {

// From now on, or after that event.
std::uint64_t PlaceOf(const stats::EventLog& log, std::int64_t after_sequence) {
  return after_sequence < 0 ? log.newest() : static_cast<std::uint64_t>(after_sequence);
}

}  // namespace

grpc::ServerWriteReactor<v1::FollowEventsResponse>* EventsService::FollowEvents(
    grpc::CallbackServerContext* context, const v1::FollowEventsRequest* request) {
  const grpc::Status allowed = AuthorizeReading(&tokens_, *context);
  if (!allowed.ok()) return RefuseStream<v1::FollowEventsResponse>(allowed);
  const auto follower = std::make_shared<EventFollower>(
      followers_, *context, *feed_.log, feed_.agent_started_at, request->filter(),
      PlaceOf(*feed_.log, request->after_sequence()));
  auto* stream = followers_.Add(follower);
  if (stream == follower.get()) follower->Poke();
  return stream;
}

}  // namespace pgvalet::api

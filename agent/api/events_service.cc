#include "api/events_service.h"

#include <algorithm>
#include <cstddef>

#include "api/grpc_authorize.h"
#include "api/proto_time.h"

namespace pgvalet::api {
namespace {

constexpr std::size_t kDefaultLimit = 1000;

// From now on, or after that event.
std::uint64_t PlaceOf(const stats::EventLog& log, std::int64_t after_sequence) {
  return after_sequence < 0 ? log.newest() : static_cast<std::uint64_t>(after_sequence);
}

}  // namespace

grpc::Status ListEvents(const EventFeed& source, const v1::ListEventsRequest& request,
                        v1::ListEventsResponse& response) {
  if (request.limit() < 0) return {grpc::StatusCode::INVALID_ARGUMENT, "limit is negative"};
  if (request.after_sequence() < 0) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "after_sequence is negative"};
  }
  const std::size_t limit =
      request.limit() == 0 ? kDefaultLimit : static_cast<std::size_t>(request.limit());
  std::uint64_t after = PlaceOf(*source.log, request.after_sequence());
  std::uint64_t lost = 0;
  // A filter looks on until it has as many as were asked for.
  while (static_cast<std::size_t>(response.events_size()) < limit) {
    const stats::EventLog::Page page = source.log->Since(after, limit);
    after = page.next;
    lost += page.lost;
    if (page.events.empty()) break;
    for (const stats::Event& event : page.events) {
      if (static_cast<std::size_t>(response.events_size()) == limit) break;
      after = event.sequence;
      if (Matches(request.filter(), event)) Fill(event, *response.add_events());
    }
  }
  response.set_next_after_sequence(static_cast<std::int64_t>(after));
  response.set_lost_count(static_cast<std::int64_t>(lost));
  SetTime(source.agent_started_at, response, &v1::ListEventsResponse::mutable_agent_started_at);
  return grpc::Status::OK;
}

grpc::ServerUnaryReactor* EventsService::ListEvents(grpc::CallbackServerContext* context,
                                                    const v1::ListEventsRequest* request,
                                                    v1::ListEventsResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  grpc::Status status = AuthorizeReading(tokens_, *context);
  if (status.ok()) status = api::ListEvents(source_, *request, *response);
  reactor->Finish(status);
  return reactor;
}

grpc::ServerWriteReactor<v1::FollowEventsResponse>* EventsService::FollowEvents(
    grpc::CallbackServerContext* context, const v1::FollowEventsRequest* request) {
  const grpc::Status allowed = AuthorizeReading(tokens_, *context);
  if (!allowed.ok()) return RefuseStream<v1::FollowEventsResponse>(allowed);
  const auto follower = std::make_shared<EventFollower>(
      followers_, *context, *source_.log, source_.agent_started_at, request->filter(),
      PlaceOf(*source_.log, request->after_sequence()));
  auto* stream = followers_.Add(follower);
  if (stream == follower.get()) follower->Poke();
  return stream;
}

}  // namespace pgvalet::api

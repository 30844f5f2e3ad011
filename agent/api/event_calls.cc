#include "api/event_calls.h"

#include <cstddef>
#include <cstdint>

#include "api/event_proto.h"
#include "api/proto_time.h"

namespace pgvalet::api {
namespace {

constexpr std::size_t kDefaultLimit = 1000;

grpc::Status ListEvents(const EventFeed& source, const v1::ListEventsRequest& request,
                        v1::ListEventsResponse& response) {
  if (request.limit() < 0) return {grpc::StatusCode::INVALID_ARGUMENT, "limit is negative"};
  if (request.after_sequence() < 0) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "after_sequence is negative"};
  }
  const std::size_t limit =
      request.limit() == 0 ? kDefaultLimit : static_cast<std::size_t>(request.limit());
  std::uint64_t after = static_cast<std::uint64_t>(request.after_sequence());
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

}  // namespace

void AddEventCalls(Calls& calls, const EventFeed& feed) {
  Call& call = calls.Add<v1::ListEventsRequest, v1::ListEventsResponse>(
      "Events.ListEvents", TokenRole::kRead,
      [feed](const v1::ListEventsRequest& request, v1::ListEventsResponse& response,
             const std::stop_token&) { return ListEvents(feed, request, response); });
  call.is_open_without_tokens = true;
}

}  // namespace pgvalet::api

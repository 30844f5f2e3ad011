#include "api/event_follower.h"

#include <utility>

#include "api/proto_time.h"

namespace pgvalet::api {
namespace {

constexpr std::size_t kMaxEventsInMessage = 100;

}  // namespace

EventFollower::EventFollower(FollowerSet& set, grpc::CallbackServerContext& context,
                             const stats::EventLog& log, stats::WallTime agent_started_at,
                             v1::EventFilter filter, std::uint64_t after)
    : PushStream(context),
      set_(set),
      log_(log),
      agent_started_at_(agent_started_at),
      filter_(std::move(filter)),
      after_(after) {}

bool EventFollower::Next(v1::FollowEventsResponse& message) {
  std::uint64_t lost = 0;
  while (true) {
    const stats::EventLog::Page page = log_.Since(after_, kMaxEventsInMessage);
    after_ = page.next;
    lost += page.lost;
    for (const stats::Event& event : page.events) {
      if (Matches(filter_, event)) Fill(event, *message.add_events());
    }
    // A page of events that nobody wants is no message; a loss is.
    if (message.events_size() > 0 || lost > 0) break;
    if (page.events.empty()) return false;
  }
  message.set_next_after_sequence(static_cast<std::int64_t>(after_));
  message.set_lost_count(static_cast<std::int64_t>(lost));
  SetTime(agent_started_at_, message, &v1::FollowEventsResponse::mutable_agent_started_at);
  return true;
}

}  // namespace pgvalet::api

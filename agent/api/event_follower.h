// EventFollower: one call of FollowEvents.
//
// It keeps its place in the log and reads on when its caller has taken what it was sent: nothing is
// queued for it, and what is overwritten meanwhile is told as lost.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>

#include "api/event_proto.h"
#include "api/push_stream.h"
#include "stats/event_log.h"

namespace pgvalet::api {

class EventFollower;
using FollowerSet = StreamSet<EventFollower, v1::FollowEventsResponse>;

class EventFollower final : public PushStream<v1::FollowEventsResponse> {
 public:
  // `after`: the sequence number of the last event that is not wanted.
  EventFollower(FollowerSet& set, grpc::CallbackServerContext& context, const stats::EventLog& log,
                stats::WallTime agent_started_at, v1::EventFilter filter, std::uint64_t after);

  void OnDone() override { set_.Remove(this); }

 private:
  bool Next(v1::FollowEventsResponse& message) override;

  FollowerSet& set_;
  const stats::EventLog& log_;
  const stats::WallTime agent_started_at_;
  const v1::EventFilter filter_;
  std::uint64_t after_;  // protected by mutex_
};

}  // namespace pgvalet::api

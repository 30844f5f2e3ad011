// EventsService: pgvalet.v1.Events over gRPC.
#pragma once

#include <grpcpp/grpcpp.h>

#include "api/event_feed.h"
#include "api/event_follower.h"
#include "api/tokens.h"
#include "pgvalet/v1/events.grpc.pb.h"

namespace pgvalet::api {

// INVALID_ARGUMENT: limit is negative.
grpc::Status ListEvents(const EventFeed& source, const v1::ListEventsRequest& request,
                        v1::ListEventsResponse& response);

class EventsService final : public v1::Events::CallbackService {
 public:
  // The log and the others outlive the service.  `tokens` may be null: everybody may read.
  EventsService(EventFeed source, FollowerSet& followers, const Tokens* tokens)
      : source_(source), followers_(followers), tokens_(tokens) {}

  grpc::ServerUnaryReactor* ListEvents(grpc::CallbackServerContext* context,
                                       const v1::ListEventsRequest* request,
                                       v1::ListEventsResponse* response) override;
  grpc::ServerWriteReactor<v1::FollowEventsResponse>* FollowEvents(
      grpc::CallbackServerContext* context, const v1::FollowEventsRequest* request) override;

 private:
  const EventFeed source_;
  FollowerSet& followers_;
  const Tokens* const tokens_;
};

}  // namespace pgvalet::api

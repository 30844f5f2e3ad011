// EventsService: pgvalet.v1.Events over gRPC.
#pragma once

#include <grpcpp/grpcpp.h>

#include "api/event_feed.h"
#include "api/event_follower.h"
#include "api/tokens.h"
#include "api/unary_call.h"
#include "pgvalet/v1/events.grpc.pb.h"

namespace pgvalet::api {

class EventsService final : public v1::Events::CallbackService {
 public:
  // All of it outlives the service.
  EventsService(EventFeed feed, FollowerSet& followers, Calls& calls, const Tokens& tokens)
      : feed_(feed), followers_(followers), calls_(calls), tokens_(tokens) {}

  grpc::ServerUnaryReactor* ListEvents(grpc::CallbackServerContext* context,
                                       const v1::ListEventsRequest* request,
                                       v1::ListEventsResponse* response) override {
    return RunCall(calls_, tokens_, *context, *request, *response);
  }
  grpc::ServerWriteReactor<v1::FollowEventsResponse>* FollowEvents(
      grpc::CallbackServerContext* context, const v1::FollowEventsRequest* request) override;

 private:
  const EventFeed feed_;
  FollowerSet& followers_;
  Calls& calls_;
  const Tokens& tokens_;
};

}  // namespace pgvalet::api

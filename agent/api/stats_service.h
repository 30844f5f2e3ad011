// StatsService: pgvalet.v1.Stats over gRPC.
//
// The methods of snapshots are "raw": gRPC gets bytes that are made once per snapshot, so the
// number of callers does not change what a snapshot costs.
#pragma once

#include <grpcpp/grpcpp.h>

#include "api/calls.h"
#include "api/snapshot_serializer.h"
#include "api/tokens.h"
#include "api/watcher.h"
#include "pgvalet/v1/stats.grpc.pb.h"

namespace pgvalet::api {

// What is not raw.
using OrdinaryStats = v1::Stats::WithCallbackMethod_GetHistory<
    v1::Stats::WithCallbackMethod_ListEndedSessions<v1::Stats::WithCallbackMethod_GetDistributions<
        v1::Stats::WithCallbackMethod_GetServerHistory<v1::Stats::Service>>>>;

class StatsService final : public v1::Stats::WithRawCallbackMethod_GetSnapshot<
                               v1::Stats::WithRawCallbackMethod_WatchSnapshots<OrdinaryStats>> {
 public:
  // Both outlive the service.
  // `tokens` may be null: everybody may read.
  // Without `calls` there are snapshots only.
  StatsService(SnapshotSerializer& serializer, WatcherSet& watchers, int max_lag, Calls* calls,
               const Tokens* tokens)
      : serializer_(serializer),
        watchers_(watchers),
        max_lag_(max_lag),
        calls_(calls),
        tokens_(tokens) {}

  grpc::ServerUnaryReactor* GetSnapshot(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* WatchSnapshots(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) override;

  grpc::ServerUnaryReactor* GetHistory(grpc::CallbackServerContext* context,
                                       const v1::GetHistoryRequest* request,
                                       v1::GetHistoryResponse* response) override {
    return Run(*context, *request, *response);
  }
  grpc::ServerUnaryReactor* ListEndedSessions(grpc::CallbackServerContext* context,
                                              const v1::ListEndedSessionsRequest* request,
                                              v1::ListEndedSessionsResponse* response) override {
    return Run(*context, *request, *response);
  }
  grpc::ServerUnaryReactor* GetDistributions(grpc::CallbackServerContext* context,
                                             const v1::GetDistributionsRequest* request,
                                             v1::GetDistributionsResponse* response) override {
    return Run(*context, *request, *response);
  }
  grpc::ServerUnaryReactor* GetServerHistory(grpc::CallbackServerContext* context,
                                             const v1::GetServerHistoryRequest* request,
                                             v1::GetServerHistoryResponse* response) override {
    return Run(*context, *request, *response);
  }

 private:
  // By the table of calls; UNIMPLEMENTED without one.
  grpc::ServerUnaryReactor* Run(grpc::CallbackServerContext& context,
                                const google::protobuf::Message& request,
                                google::protobuf::Message& response);

  SnapshotSerializer& serializer_;
  WatcherSet& watchers_;
  const int max_lag_;  // see Watcher
  Calls* const calls_;
  const Tokens* const tokens_;
};

}  // namespace pgvalet::api

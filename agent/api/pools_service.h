// PoolsService: pgvalet.v1.Pools over gRPC; api/pool_calls.h says what it does.
#pragma once

#include <grpcpp/grpcpp.h>

#include "api/unary_call.h"
#include "pgvalet/v1/pools.grpc.pb.h"

namespace pgvalet::api {

class PoolsService final : public v1::Pools::CallbackService {
 public:
  // Both outlive the service; `calls` has the row.
  PoolsService(Calls& calls, const Tokens& tokens) : calls_(calls), tokens_(tokens) {}

  grpc::ServerUnaryReactor* ReportPools(grpc::CallbackServerContext* context,
                                        const v1::ReportPoolsRequest* request,
                                        v1::ReportPoolsResponse* response) override {
    return RunCall(calls_, tokens_, *context, *request, *response);
  }

 private:
  Calls& calls_;
  const Tokens& tokens_;
};

}  // namespace pgvalet::api

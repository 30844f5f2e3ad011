// QueryService: pgvalet.v1.Query over gRPC.
//
// Each call is a client of the agent's own pool (query/connection.h), on a thread of its own: it
// may wait for the server and for its caller as long as it likes.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <functional>
#include <mutex>
#include <set>

#include "api/tokens.h"
#include "base/worker_threads.h"
#include "pgvalet/v1/query.grpc.pb.h"
#include "query/connection.h"

namespace pgvalet::api {

class QueryService final : public v1::Query::CallbackService {
 public:
  // `tokens` outlives the service.
  QueryService(query::Door door, const Tokens& tokens);
  // Calls off what runs; nothing runs afterwards.
  void Stop();

  grpc::ServerWriteReactor<v1::ExecuteResponse>* Execute(
      grpc::CallbackServerContext* context, const v1::ExecuteRequest* request) override;
  grpc::ServerWriteReactor<v1::ExecuteBatchResponse>* ExecuteBatch(
      grpc::CallbackServerContext* context, const v1::ExecuteBatchRequest* request) override;
  grpc::ServerBidiReactor<v1::TransactRequest, v1::TransactResponse>* Transact(
      grpc::CallbackServerContext* context) override;

 private:
  // Has `work` run on a thread with the stream, which is finished with what it returns.
  template <typename Stream, typename Work>
  Stream* Start(grpc::CallbackServerContext& context, Work work);

  const query::Door door_;
  const Tokens& tokens_;
  std::mutex mutex_;                                // protects all below
  std::set<const std::function<void()>*> running_;  // how to call each off
  bool stopping_ = false;
  WorkerThreads threads_;
};

}  // namespace pgvalet::api

#include "api/query_service.h"

#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "api/blocking_stream.h"
#include "api/grpc_authorize.h"
#include "api/query_calls.h"

namespace pgvalet::api {
namespace {

// Calls at a time, a thread each.
constexpr std::size_t kMaxCalls = 64;

}  // namespace

QueryService::QueryService(query::Door door, const Tokens& tokens)
    : door_(std::move(door)), tokens_(tokens), threads_(kMaxCalls, 0) {}

void QueryService::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto* call_off : running_) (*call_off)();
  }
  threads_.Finish();
}

template <typename Stream, typename Work>
Stream* QueryService::Start(grpc::CallbackServerContext& context, Work work) {
  auto* stream = new Stream(context);
  if (const grpc::Status allowed = Authorize(tokens_, context, TokenRole::kRead); !allowed.ok()) {
    stream->Finish(allowed);
    return stream;
  }
  // The stream outlives the work: it is deleted when it is finished, which the work does last.
  const bool is_taken = threads_.Run([this, stream, work = std::move(work)] {
    const std::function<void()> call_off = [stream] {
      stream->CallOff({grpc::StatusCode::UNAVAILABLE, "the agent is stopping"});
    };
    {
      const std::lock_guard lock(mutex_);
      running_.insert(&call_off);
      if (stopping_) call_off();
    }
    const grpc::Status status = work(*stream);
    {
      const std::lock_guard lock(mutex_);
      running_.erase(&call_off);
    }
    stream->Finish(status);
  });
  if (!is_taken) {
    stream->Finish({grpc::StatusCode::RESOURCE_EXHAUSTED,
                    "the agent runs " + std::to_string(kMaxCalls) + " queries for gRPC already"});
  }
  return stream;
}

grpc::ServerWriteReactor<v1::ExecuteResponse>* QueryService::Execute(
    grpc::CallbackServerContext* context, const v1::ExecuteRequest* request) {
  using Stream = ResponseStream<v1::ExecuteResponse>;
  return Start<Stream>(*context, [this, request](Stream& stream) {
    return RunExecute(door_, *request, stream.stop(),
                      [&](const v1::ExecuteResponse& response) { return stream.Write(response); });
  });
}

grpc::ServerWriteReactor<v1::ExecuteBatchResponse>* QueryService::ExecuteBatch(
    grpc::CallbackServerContext* context, const v1::ExecuteBatchRequest* request) {
  using Stream = ResponseStream<v1::ExecuteBatchResponse>;
  return Start<Stream>(*context, [this, request](Stream& stream) {
    return RunBatch(door_, *request, stream.stop(), [&](const v1::ExecuteBatchResponse& response) {
      return stream.Write(response);
    });
  });
}

grpc::ServerBidiReactor<v1::TransactRequest, v1::TransactResponse>* QueryService::Transact(
    grpc::CallbackServerContext* context) {
  using Stream = DuplexStream<v1::TransactRequest, v1::TransactResponse>;
  return Start<Stream>(*context, [this](Stream& stream) {
    return RunTransaction(
        door_, stream.stop(), [&](v1::TransactRequest& request) { return stream.Read(request); },
        [&](const v1::TransactResponse& response) { return stream.Write(response); });
  });
}

}  // namespace pgvalet::api

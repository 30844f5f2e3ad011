// Calls: the unary calls of pgvalet.v1, written once for gRPC and HTTP.
//
// A row says which method of the proto it is, who may call it and what it does; both faces find
// it here, so they cannot differ.  Calls may wait for cores or for clients, so each runs on a
// thread of a few that are its own.
//
// Made and filled by the daemon before the faces start, and outlives them.  Add() is not
// thread-safe, everything else is.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>

#include <deque>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "api/tokens.h"
#include "base/worker_threads.h"

namespace pgvalet::api {

struct Call {
  using Message = google::protobuf::Message;
  // Fills an empty response.  CANCELLED when `stop` was requested and the call waited.
  using Work = std::function<grpc::Status(const Message& request, Message& response,
                                          const std::stop_token& stop)>;

  const google::protobuf::MethodDescriptor* method = nullptr;
  TokenRole role = TokenRole::kControl;
  // Over gRPC everybody may call it when the agent has no token file.
  bool is_open_without_tokens = false;
  Work work;
  // The JSON answer to an empty request, where many ask for the same one; null as result: not to
  // be had now.  Most calls have none.
  std::function<std::shared_ptr<const std::string>()> ready_json;
};

class Calls {
 public:
  using Done = std::function<void(grpc::Status)>;

  // At most so many run at a time.
  explicit Calls(std::size_t max_running = 64) : threads_(max_running, 0) {}
  ~Calls() { Stop(); }
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  // `name` is that of a method in package pgvalet.v1, such as "Control.Pause"; `work` takes its
  // request, its response and a stop_token.
  // REQUIRES: the proto has this method with these types.
  template <typename Request, typename Response, typename Work>
  Call& Add(std::string_view name, TokenRole role, Work work) {
    return Add(name, Request::descriptor(), role,
               [work = std::move(work)](const Call::Message& request, Call::Message& response,
                                        const std::stop_token& stop) -> grpc::Status {
                 return work(static_cast<const Request&>(request), static_cast<Response&>(response),
                             stop);
               });
  }

  const std::deque<Call>& rows() const { return rows_; }
  // The call that takes such requests; null: there is none.
  const Call* Find(const google::protobuf::Descriptor* request) const;

  // Runs a call on a thread of ours, with `done` as the last thing; it is called off when `caller`
  // is asked to stop, or we are.  Request and response live until then.  False: too many run
  // already, or we have stopped, and `done` is not called.
  bool Start(const Call& call, const Call::Message& request, Call::Message& response,
             std::stop_token caller, Done done);

  // Calls off what waits; nothing runs afterwards.  May be called again.
  void Stop();

 private:
  Call& Add(std::string_view name, const google::protobuf::Descriptor* request, TokenRole role,
            Call::Work work);

  std::deque<Call> rows_;  // a deque: rows stay where they are
  std::stop_source stopping_;
  WorkerThreads threads_;
};

// What a face says when Start() is false.
grpc::Status TooManyCalls();

}  // namespace pgvalet::api

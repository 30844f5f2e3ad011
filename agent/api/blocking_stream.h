// BlockingStream: a gRPC stream for code that is written straight on, on a thread of its own.
//
// gRPC calls back; Write() and Read() wait for that.  One thread at a time may call them.  The
// caller's going away, its deadline, and CallOff() make both return false and request stop().
// Lifetime  gRPC deletes it through OnDone(), after Finish(), which is the last thing that the
//           thread does.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>

#include "api/cancel_call.h"

namespace pgvalet::api {

// Base is grpc::ServerWriteReactor<Response> or grpc::ServerBidiReactor<..., Response>.
template <typename Base, typename Response>
class BlockingWriter : public Base {
 public:
  explicit BlockingWriter(grpc::CallbackServerContext& context) : context_(context) {}

  std::stop_token stop() const { return stop_.get_token(); }
  // From any thread, while the stream is not finished; the caller gets `why`.
  void CallOff(const grpc::Status& why) {
    CancelCall(context_, why);
    stop_.request_stop();
  }

  bool Write(const Response& response) {
    if (stop_.stop_requested()) return false;
    // Not compressed, not kept: it lives until it is written.
    this->StartWrite(&response);
    return WaitFor(written_);
  }

  void OnWriteDone(bool ok) override { Tell(written_, ok); }
  void OnCancel() override { stop_.request_stop(); }
  void OnDone() override { delete this; }

 protected:
  ~BlockingWriter() override = default;

  // Until Tell() has come for it.
  bool WaitFor(std::optional<bool>& outcome) {
    std::unique_lock lock(mutex_);
    told_.wait(lock, [&] { return outcome.has_value(); });
    const bool ok = *outcome;
    outcome.reset();
    return ok;
  }
  void Tell(std::optional<bool>& outcome, bool ok) {
    const std::lock_guard lock(mutex_);
    outcome = ok;
    told_.notify_all();
  }

 private:
  grpc::CallbackServerContext& context_;
  std::stop_source stop_;
  std::mutex mutex_;  // protects all below, and read_
  std::condition_variable told_;
  std::optional<bool> written_;
};

// The response side of a server-streaming call.
template <typename Response>
class ResponseStream final : public BlockingWriter<grpc::ServerWriteReactor<Response>, Response> {
 public:
  using BlockingWriter<grpc::ServerWriteReactor<Response>, Response>::BlockingWriter;
};

// Both sides of a bidirectional call.
template <typename Request, typename Response>
class DuplexStream final
    : public BlockingWriter<grpc::ServerBidiReactor<Request, Response>, Response> {
 public:
  using BlockingWriter<grpc::ServerBidiReactor<Request, Response>, Response>::BlockingWriter;

  // False: the caller has said everything, or is gone.
  bool Read(Request& request) {
    this->StartRead(&request);
    return this->WaitFor(read_);
  }

  void OnReadDone(bool ok) override { this->Tell(read_, ok); }

 private:
  std::optional<bool> read_;
};

}  // namespace pgvalet::api

// PushStream: a server-streaming call that sends what there is, as fast as its caller reads.
// StreamSet: all open calls of one method.
//
// Threads   the fan-out thread pokes streams; gRPC's threads report that a write is done or that
//           the caller is gone; any thread may end them.  Each stream has its own lock, and nobody
//           waits for a stream.
// Lifetime  gRPC holds a stream from its start to OnDone(); the set holds it as long.  The set
//           outlives the gRPC server.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/cancel_call.h"

namespace pgvalet::api {

// A stream that ends at once with `status`.
template <typename Message>
grpc::ServerWriteReactor<Message>* RefuseStream(const grpc::Status& status) {
  class Refused final : public grpc::ServerWriteReactor<Message> {
   public:
    explicit Refused(const grpc::Status& why) { this->Finish(why); }
    void OnDone() override { delete this; }
  };
  return new Refused(status);
}

template <typename Message>
class PushStream : public grpc::ServerWriteReactor<Message> {
 public:
  explicit PushStream(grpc::CallbackServerContext& context) : context_(context) {}

  // Sends what there is, now or when what is being written is done.
  void Poke() {
    std::unique_lock lock(mutex_);
    SendAndUnlock(lock);
  }

  // Ends the stream with `status`; what was not yet written is left out.  Nothing happens when it
  // has ended already.
  void End(const grpc::Status& status) {
    std::unique_lock lock(mutex_);
    if (!ended_) EndAndUnlock(lock, status);
  }

  void OnWriteDone(bool ok) final {
    std::unique_lock lock(mutex_);
    is_writing_ = false;
    writing_.Clear();
    if (!ok && !ended_) ended_ = grpc::Status(grpc::StatusCode::CANCELLED, "the client is gone");
    if (ended_) return FinishAndUnlock(lock);
    SendAndUnlock(lock);
  }

  void OnCancel() final { End({grpc::StatusCode::CANCELLED, "the client is gone"}); }

 protected:
  // Fills the next message; false: there is none now.  The lock is held.
  virtual bool Next(Message& message) = 0;

  // These are called with the lock held and give it back before gRPC may call us.
  void SendAndUnlock(std::unique_lock<std::mutex>& lock) {
    if (ended_ || is_writing_ || !Next(writing_)) return;
    is_writing_ = true;
    lock.unlock();
    // Nobody else touches writing_ before OnWriteDone(), and the call cannot finish before it.
    this->StartWrite(&writing_);
  }

  // REQUIRES: the stream has not ended.
  void EndAndUnlock(std::unique_lock<std::mutex>& lock, grpc::Status status) {
    ended_ = std::move(status);
    if (!is_writing_) return FinishAndUnlock(lock);
    // A write to a client that does not read would keep Finish() waiting as well.  Cancelling
    // the call ends the write and tells the client why.  Still under the lock: the call lives until
    // OnWriteDone() has had the lock.
    CancelCall(context_, *ended_);
    lock.unlock();
  }

  bool is_writing() const { return is_writing_; }
  bool has_ended() const { return ended_.has_value(); }

  std::mutex mutex_;  // protects all below, and what derived classes have

 private:
  // REQUIRES: nothing is being written, ended_ is set, and this is called once.
  void FinishAndUnlock(std::unique_lock<std::mutex>& lock) {
    const grpc::Status status = *ended_;
    lock.unlock();
    this->Finish(status);  // OnDone() may follow at once, and then this stream is gone
  }

  grpc::CallbackServerContext& context_;
  Message writing_;                    // what gRPC is writing, while is_writing_
  bool is_writing_ = false;            // between StartWrite() and OnWriteDone()
  std::optional<grpc::Status> ended_;  // set once; Finish() follows when nothing is being written
};

// Stream is a PushStream<Message> whose OnDone() calls Remove().
template <typename Stream, typename Message>
class StreamSet {
 public:
  // `name` says in words what the streams are, for those that find no room.
  StreamSet(std::size_t max_streams, const char* name) : max_streams_(max_streams), name_(name) {}

  // Takes a stream in; when that cannot be, one that ends at once is returned in its place.
  grpc::ServerWriteReactor<Message>* Add(const std::shared_ptr<Stream>& stream) {
    const std::lock_guard lock(mutex_);
    if (ended_) return RefuseStream<Message>(*ended_);
    if (streams_.size() >= max_streams_) {
      return RefuseStream<Message>(
          {grpc::StatusCode::RESOURCE_EXHAUSTED, std::string("too many ") + name_ +
                                                     ": this agent serves at most " +
                                                     std::to_string(max_streams_) + " at a time"});
    }
    streams_.emplace(stream.get(), stream);
    return stream.get();
  }

  // Does something to all of them; they stay alive meanwhile.
  template <typename Act>
  void ForEach(Act act) {
    for (const auto& stream : All()) act(*stream);
  }

  // Ends all streams with `status`, and those that still come.
  void EndAll(const grpc::Status& status) {
    {
      const std::lock_guard lock(mutex_);
      ended_ = status;
    }
    ForEach([&](Stream& stream) { stream.End(status); });
  }

  // Returns when no stream is left.
  // REQUIRES: EndAll() was called, and the gRPC server cancels calls that do not end.
  void WaitUntilEmpty() {
    std::unique_lock lock(mutex_);
    emptied_.wait(lock, [&] { return streams_.empty(); });
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return streams_.size();
  }

  // For a stream that is done; may destroy it.
  void Remove(const Stream* stream) {
    std::shared_ptr<Stream> last;  // destroyed after the lock is gone
    const std::lock_guard lock(mutex_);
    const auto it = streams_.find(stream);
    if (it == streams_.end()) return;
    last = std::move(it->second);
    streams_.erase(it);
    if (streams_.empty()) emptied_.notify_all();
  }

 private:
  std::vector<std::shared_ptr<Stream>> All() const {
    std::vector<std::shared_ptr<Stream>> all;
    const std::lock_guard lock(mutex_);
    all.reserve(streams_.size());
    for (const auto& [key, stream] : streams_) all.push_back(stream);
    return all;
  }

  const std::size_t max_streams_;
  const char* const name_;
  mutable std::mutex mutex_;  // protects all below; never held while a stream's is taken
  std::condition_variable emptied_;
  std::unordered_map<const Stream*, std::shared_ptr<Stream>> streams_;
  std::optional<grpc::Status> ended_;
};

}  // namespace pgvalet::api

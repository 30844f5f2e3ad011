// Channel: messages of a stream, for coroutines.
//
// For the talk before and around the relay, where steps follow each other: login of a client, login
// to a server, a query of our own.  Reads into a buffer of its own; what is left in it can be taken
// over by the relay.
#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "io/stream.h"
#include "io/task.h"
#include "wire/protocol.h"

namespace pgvalet::io {

struct ChannelMessage {
  char type = 0;
  wire::Bytes body;  // valid until the next call of NextMessage()
};

class Channel final : public StreamHandler {
 public:
  // `stream` outlives the channel, whose owner sets it as the stream's handler.  Every wait ends
  // with kTimeout at `deadline`, if there is one.
  Channel(Loop& loop, std::optional<Time> deadline);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Speak through this stream from now on; what another one had brought is forgotten.
  void Use(Stream& stream);

  // The next message, of at most `max_bytes`.
  Task<Result<ChannelMessage>> NextMessage(std::uint32_t max_bytes);
  // Waits until unread() has at least `bytes`.
  Task<Result<Done>> Fill(std::size_t bytes);
  // Waits until what was sent has left (after connect(): until it is connected).
  Task<Result<Done>> Drained();
  Result<Done> Send(std::string_view messages) { return stream_->Send(messages); }

  // Bytes that arrived and were not consumed.
  wire::Bytes unread() const { return wire::AsBytes(std::string_view(buffer_).substr(consumed_)); }
  void Consume(std::size_t bytes) { consumed_ += bytes; }
  // For the relay that takes over.
  std::string TakeUnread();

  // Every wait, now and later, ends with this error.
  void Abort(Error error);

  void OnReadable() override;
  void OnWritable() override;

 private:
  enum class Waiting : std::uint8_t { kNothing, kBytes, kDrain };

  // Suspends until something happened to the stream.
  struct Wait {
    Channel& channel;
    Waiting what;
    bool await_ready() const noexcept { return channel.failure_.has_value(); }
    void await_suspend(std::coroutine_handle<> waiter) noexcept {
      channel.waiting_ = what;
      channel.waiter_ = waiter;
    }
    void await_resume() const noexcept {}
  };

  void Resume();
  void TakeArrived();

  Stream* stream_ = nullptr;
  std::string buffer_;
  std::size_t consumed_ = 0;
  std::optional<Error> failure_;
  std::optional<Error> end_;  // of the stream; comes after what was read before it
  std::coroutine_handle<> waiter_;
  Waiting waiting_ = Waiting::kNothing;
  Timer deadline_;
};

}  // namespace pgvalet::io

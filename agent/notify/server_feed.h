// ServerFeed: the listening server connection, once it is logged in.
//
// Callbacks, not a coroutine: notifications come at any moment, and none of them is to cost a
// frame. Commands are pipelined, each a query of its own with its own ReadyForQuery, so one that
// fails fails alone and many cost one round trip. Owner: a Hub; thread: its loop.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/stream.h"
#include "notify/notification.h"

namespace pgvalet::notify {

struct Command {
  enum class Kind : std::uint8_t { kSetup, kListenToMarker, kListen, kUnlisten, kNotify };
  Kind kind;
  std::string channel{};         // kListen
  std::uint64_t generation = 0;  // kListen: of the channel; kNotify: of the batch
};

class FeedHandler {
 public:
  // `message` is the whole of it, valid during the call.
  virtual void OnNotification(const NotificationFields& fields, wire::Bytes message) = 0;
  // In the order of Ask(); null: it worked.
  virtual void OnAnswer(const Command& command, const Error* failure) = 0;
  // Once, and nothing after it.  Not the moment to destroy the feed: it is on the stack.
  virtual void OnFeedEnd(const Error& error) = 0;

 protected:
  ~FeedHandler() = default;
};

class ServerFeed final : private io::StreamHandler {
 public:
  // `unread` is what login has read too much.  Speaks when Turn() is first called.
  ServerFeed(std::unique_ptr<io::Stream> stream, std::string unread, FeedHandler& handler);
  // Says goodbye to the server, if it is still there.
  ~ServerFeed();
  ServerFeed(const ServerFeed&) = delete;
  ServerFeed& operator=(const ServerFeed&) = delete;

  // Queues a command; Turn() sends all that are queued.
  void Ask(Command command, std::string_view sql);
  // Sends, and reads on if it stopped in the middle.
  void Turn();
  // A lot has arrived and is to be read in the next turn.
  bool unfinished() const { return !ended_ && unfinished_; }

  // Ends with OnFeedEnd, unless it has ended.
  void End(const Error& error);

 private:
  void OnReadable() override;
  void OnWritable() override {}
  void Read();
  bool ReadOnce();
  void TakeMessages();
  void TakeMessage(char type, wire::Bytes message);
  void TakeNotification(wire::Bytes message);
  void TakeReady();

  FeedHandler& handler_;
  std::unique_ptr<io::Stream> stream_;
  std::string buffer_;  // the beginning of a message
  std::string unsent_;
  std::deque<Command> asked_;     // the first is the one the server is at
  std::optional<Error> failure_;  // of that one; or the last words of the server
  bool unfinished_ = true;
  bool ended_ = false;
};

}  // namespace pgvalet::notify

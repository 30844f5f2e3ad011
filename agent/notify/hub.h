// Hub: the listening connection of one database, and the clients it listens for.
//
// The connection is opened for the first channel that anybody asks for, with the login of the
// client that asks, and closed when there has been no channel for a while.  If it dies, clients
// that had channels on it are told (Lost) and forgotten; those whose move was not answered yet stay
// in line for the next connection.
//
// Owner: the directory; thread: the hubs' loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/settings.h"
#include "io/channel.h"
#include "io/loop.h"
#include "notify/counters.h"
#include "notify/mailbox.h"
#include "notify/server_feed.h"
#include "pool/pool_directory.h"
#include "pool/server_login.h"

namespace pgvalet::notify {

struct Options {
  // How long a connection stays that nobody needs any more.
  Duration linger = std::chrono::seconds(60);
  // Between attempts to connect; doubles up to the last.
  Duration first_retry = std::chrono::seconds(1);
  Duration last_retry = std::chrono::seconds(15);
  // How far a client may be behind.
  std::int64_t max_undelivered_bytes = std::int64_t{16} * 1024 * 1024;
};

// What the hubs of a process share.
struct HubContext {
  io::Loop& loop;
  pool::Shared& pools;
  config::SettingsPtr settings;
  Options options;
  std::shared_ptr<Counters> counters;
  std::function<void(const std::string& database)> on_unused;
};

// Puts an event into the mailbox of its client.
void Tell(const LinkPtr& to, Event event, std::uint64_t move = 0);

class Hub final : private io::Deferred, private FeedHandler {
 public:
  // `context` outlives the hub.
  Hub(HubContext& context, std::string database);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // See Subscriber.  `move` counts the moves of this client; `token` is what its lease waits for.
  void Subscribe(const LinkPtr& link, const pool::PoolKey& key,
                 const std::vector<std::string>& channels, std::uint64_t move);
  void Mark(const Link& link, const std::string& token);
  void Barrier(const LinkPtr& link);
  void Unsubscribe(const Link& link, const std::vector<std::string>& channels);
  void UnsubscribeAll(const Link& link);
  void Leave(const Link& link);

  // No client, no connection.
  bool unused() const { return clients_.empty() && state_ == State::kClosed; }

 private:
  enum class State : std::uint8_t {
    kClosed,
    kWaiting,     // for the next attempt
    kConnecting,  // up to the end of login
    kOpening,     // setting up the session
    kOpen,
  };

  struct Move {
    std::uint64_t number = 0;
    std::set<std::string, std::less<>> channels;
    std::size_t missing = 0;  // of these, LISTEN is not answered yet
    bool answered = false;    // Subscribed
  };

  struct Client {
    LinkPtr link;
    pool::PoolKey key;
    std::set<std::string, std::less<>> channels;  // delivered to it
    std::optional<Move> move;
    std::uint64_t last_move = 0;  // under way, or marked: its client may not have got so far
  };

  struct Channel {
    std::uint64_t generation = 0;  // tells the answer to this one's LISTEN from an older one's
    bool listened = false;
    std::vector<Client*> listeners;  // from their marker on
    std::vector<Client*> arriving;   // channels of a move
  };
  using Channels = std::map<std::string, Channel, std::less<>>;

  // Asked for, or sent and not come back yet.
  struct Marker {
    std::string token;
    LinkPtr link;
    std::uint64_t move = 0;   // 0: a barrier
    std::uint64_t batch = 0;  // sent with; 0: not yet
  };

  struct Connecting {
    Connecting(io::Loop& loop, Time deadline) : channel(loop, deadline) {}
    io::Channel channel;
    pool::PoolKey key;
    std::optional<Result<pool::LoggedIn>> result;
    io::Task<Done> task;  // last: it is destroyed first
  };

  // Clients.
  Client* Find(const Link& link);
  Client& ClientOf(const LinkPtr& link, const pool::PoolKey& key);
  void AddToMove(Client& client, const std::string& name);
  void AnswerIfReady(Client& client);
  void EndMove(Client& client);
  void Refuse(Client& client, const Error& error);
  void RefuseAll(const Error& error);
  void Lose(Client& client, const Error& error);
  void Forget(Client& client);
  void ForgetIfIdle(Client& client);
  void RemoveChannel(Client& client, const std::string& name);
  void RemoveAll(Client& client);
  void DropIfUnwanted(Channels::iterator found);
  void DropOverflowing();

  // Markers.
  void SendMarkers();
  void OnMarker(const NotificationFields& fields);
  void Pass(const Marker& marker);
  void OnMarkersAnswered(std::uint64_t batch, const Error* failure);
  void AnswerBarriers();

  // The connection: hub_connection.cc.
  void Connect();
  static io::Task<Done> LogIn(Hub* hub, pool::LoginTarget target);
  pool::LoginTarget Target(const pool::PoolPolicy& policy, const pool::PoolKey& key) const;
  void FinishConnecting();
  void OnLoggedIn(pool::LoggedIn in, std::string unread);
  void OnConnectFailed(const pool::PoolKey& key, const Error& error);
  void OnOpened();
  void Retry();
  void CloseIfUnneeded();
  void Close();
  void Listen(const std::string& name, Channel& channel);
  void OnListenAnswered(const Command& command, const Error* failure);
  void KeepUnanswered(const Error& error);

  void OnNotification(const NotificationFields& fields, wire::Bytes message) override;
  void OnAnswer(const Command& command, const Error* failure) override;
  void OnFeedEnd(const Error& error) override;
  void RunDeferred() override;

  HubContext& context_;
  const std::string database_;
  State state_ = State::kClosed;
  std::map<std::uint64_t, Client> clients_;  // by Link::id: oldest first
  Channels channels_;
  std::vector<Client*> overflowing_;
  std::uint64_t last_generation_ = 0;

  std::string marker_channel_;  // random: nobody else notifies it
  std::deque<Marker> markers_;  // those that were sent come first
  std::uint64_t last_batch_ = 0;
  bool batch_unanswered_ = false;

  std::unique_ptr<Connecting> connecting_;
  std::unique_ptr<ServerFeed> feed_;        // when opening or open
  std::unique_ptr<ServerFeed> ended_feed_;  // up to the end of the turn
  std::uint32_t backend_pid_ = 0;
  Duration retry_delay_{0};
  io::Timer retry_;
  io::Timer linger_;
};

}  // namespace pgvalet::notify

// The connection of a hub: how it comes, is kept and ends.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "auth/crypto.h"
#include "base/log.h"
#include "notify/hub.h"
#include "notify/sql.h"

namespace pgvalet::notify {
namespace {

constexpr std::size_t kMarkerBytes = 16;  // nobody guesses them

// It may be silent for hours: the kernel is to find out that the server is gone, and what stands
// between us is to see that somebody is there.
void KeepAlive(const io::Stream& stream, const io::Address& address) {
  if (address.is_unix()) return;
  const int on = 1;
  const int idle_s = 60;
  const int interval_s = 15;
  const int probes = 4;
  const unsigned int unacknowledged_ms = 120'000;  // where keepalive does not look
  setsockopt(stream.fd(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(stream.fd(), IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  setsockopt(stream.fd(), IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
  setsockopt(stream.fd(), IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
  setsockopt(stream.fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms,
             sizeof unacknowledged_ms);
}

}  // namespace

// ---- connecting ----

// With the login of the client that has waited longest.
void Hub::Connect() {
  if (clients_.empty()) {
    state_ = State::kClosed;
    return context_.on_unused(database_);
  }
  const pool::PoolKey key = clients_.begin()->second.key;
  if (context_.settings->FindDatabase(key.database) == nullptr) {
    state_ = State::kClosed;
    return RefuseAll({ErrorCode::kNotFound, "the database is not in the settings any more"});
  }
  const pool::PoolPolicy policy =
      pool::PolicyFor(*context_.settings, key, context_.pools.agent_name);
  const Duration timeout = policy.server_connect_timeout > Duration::zero()
                               ? policy.server_connect_timeout
                               : Duration(std::chrono::hours(1));
  state_ = State::kConnecting;
  connecting_ = std::make_unique<Connecting>(context_.loop, context_.loop.now() + timeout);
  connecting_->key = key;
  connecting_->task = LogIn(this, Target(policy, key));
  connecting_->task.Start();
}

pool::LoginTarget Hub::Target(const pool::PoolPolicy& policy, const pool::PoolKey& key) const {
  pool::LoginTarget target{
      policy.hosts,   policy.dbname,        key.user,
      policy.startup, policy.connect_query, context_.pools.groups.Find(key)->credentials()};
  const auto has = [&](std::string_view name) {
    return std::any_of(target.startup.begin(), target.startup.end(),
                       [&](const auto& one) { return one.first == name; });
  };
  if (!has("application_name")) {
    target.startup.emplace_back("application_name", "pgvaletd listener");
  }
  return target;
}

io::Task<Done> Hub::LogIn(Hub* hub, pool::LoginTarget target) {
  Connecting& connecting = *hub->connecting_;
  connecting.result = co_await pool::LogIn(hub->context_.loop, *hub->context_.pools.resolver,
                                           connecting.channel, std::move(target));
  hub->context_.loop.Defer(*hub);
  co_return Done{};
}

void Hub::FinishConnecting() {
  if (!connecting_ || !connecting_->result) return;
  const std::unique_ptr<Connecting> connecting = std::move(connecting_);
  Result<pool::LoggedIn>& result = *connecting->result;
  if (!result) return OnConnectFailed(connecting->key, result.error());
  if (result->learned_keys) {
    context_.pools.groups.Find(connecting->key)->SetKeys(std::move(result->learned_keys));
  }
  OnLoggedIn(std::move(*result), connecting->channel.TakeUnread());
}

void Hub::OnLoggedIn(pool::LoggedIn in, std::string unread) {
  log::info("listening connection opened: database={} server_pid={} address={}", database_,
            in.backend_pid, in.address.ToString());
  context_.counters->connects.Add();
  context_.counters->connections.Add(1);
  if (marker_channel_.empty()) {
    const Result<std::string> random = auth::RandomBytes(kMarkerBytes);
    if (!random) {
      state_ = State::kClosed;
      context_.counters->connections.Add(-1);
      return RefuseAll(random.error());
    }
    marker_channel_ = "pgvalet.marker." + auth::ToBase64(*random);
  }
  KeepAlive(*in.stream, in.address);
  backend_pid_ = in.backend_pid;
  state_ = State::kOpening;
  FeedHandler& handler = *this;
  feed_ = std::make_unique<ServerFeed>(std::move(in.stream), std::move(unread), handler);
  feed_->Ask({Command::Kind::kSetup}, kSetupSql);
  feed_->Ask({Command::Kind::kListenToMarker}, ListenSql(marker_channel_));
}

void Hub::OnConnectFailed(const pool::PoolKey& key, const Error& error) {
  context_.counters->connect_failures.Add();
  log::warn("cannot open a listening connection: database={} user={} error={}", key.database,
            key.user, error.ToString());
  if (error.code == ErrorCode::kAuth) context_.pools.groups.Find(key)->SetKeys(nullptr);
  if (pool::WorthRetrying(error)) return Retry();
  // This user is not let in; somebody else may be.
  state_ = State::kClosed;
  for (auto it = clients_.begin(); it != clients_.end();) {
    Client& client = (it++)->second;
    if (client.key.user == key.user) Refuse(client, error);
  }
  if (!clients_.empty()) return Connect();
  CloseIfUnneeded();
}

void Hub::OnOpened() {
  state_ = State::kOpen;
  retry_delay_ = Duration::zero();
  for (auto& [name, channel] : channels_) Listen(name, channel);
  for (auto& [id, client] : clients_) AnswerIfReady(client);
  CloseIfUnneeded();
}

void Hub::Retry() {
  if (clients_.empty()) return Close();
  retry_delay_ = retry_delay_ == Duration::zero()
                     ? context_.options.first_retry
                     : std::min(retry_delay_ * 2, context_.options.last_retry);
  state_ = State::kWaiting;
  context_.loop.Arm(retry_, context_.loop.now() + retry_delay_);
}

// ---- closing ----

void Hub::CloseIfUnneeded() {
  if (!clients_.empty()) return;
  if (state_ == State::kOpen) {
    context_.loop.Arm(linger_, context_.loop.now() + context_.options.linger);
  } else if (state_ == State::kWaiting) {
    Close();
  } else if (state_ == State::kClosed) {
    context_.on_unused(database_);
  }
}

// REQUIRES: feed_ is not on the stack.
void Hub::Close() {
  retry_.Disarm();
  linger_.Disarm();
  if (feed_) {
    log::info("listening connection closed: database={} reason=nobody listens", database_);
    context_.counters->connections.Add(-1);
    feed_.reset();
  }
  AnswerBarriers();
  retry_delay_ = Duration::zero();
  state_ = State::kClosed;
  context_.on_unused(database_);
}

void Hub::OnFeedEnd(const Error& error) {
  log::warn("listening connection lost: database={} clients={} error={}", database_,
            clients_.size(), error.ToString());
  context_.counters->losses.Add();
  context_.pools.registry->events().AddLimited(
      {.kind = "listening_connection_lost",
       .database = database_,
       .message = "the connection that listens for " + std::to_string(clients_.size()) +
                  " clients was lost: " + error.ToString()});
  context_.counters->connections.Add(-1);
  linger_.Disarm();
  ended_feed_ = std::move(feed_);
  state_ = State::kWaiting;
  KeepUnanswered(error);
  AnswerBarriers();
  context_.loop.Defer(*this);
  Retry();
}

// Clients that the connection had not begun to serve stay in line for the next one.
void Hub::KeepUnanswered(const Error& error) {
  for (auto it = clients_.begin(); it != clients_.end();) {
    Client& client = (it++)->second;
    if (!client.channels.empty() || client.move->answered) Lose(client, error);
  }
  for (auto& [name, channel] : channels_) channel.listened = false;
  for (auto& [id, client] : clients_) client.move->missing = client.move->channels.size();
}

// ---- commands ----

void Hub::Listen(const std::string& name, Channel& channel) {
  channel.generation = ++last_generation_;
  feed_->Ask({Command::Kind::kListen, name, channel.generation}, ListenSql(name));
  context_.loop.Defer(*this);
}

void Hub::OnAnswer(const Command& command, const Error* failure) {
  context_.loop.Defer(*this);
  switch (command.kind) {
    case Command::Kind::kSetup:
    case Command::Kind::kListenToMarker:
      if (failure != nullptr) {
        RefuseAll(*failure);  // a standby, say
        return feed_->End(*failure);
      }
      if (command.kind == Command::Kind::kListenToMarker) OnOpened();
      return;
    case Command::Kind::kListen:
      return OnListenAnswered(command, failure);
    case Command::Kind::kNotify:
      return OnMarkersAnswered(command.generation, failure);
    case Command::Kind::kUnlisten:
      return;  // what comes of that channel is nobody's, whether it worked or not
  }
}

void Hub::OnListenAnswered(const Command& command, const Error* failure) {
  const auto found = channels_.find(command.channel);
  if (found == channels_.end() || found->second.generation != command.generation) return;
  if (failure == nullptr) {
    found->second.listened = true;
    for (Client* client : found->second.arriving) {
      --client->move->missing;
      AnswerIfReady(*client);
    }
    return;
  }
  // The last of them takes the channel with it.
  const std::vector<Client*> concerned = found->second.arriving;
  for (Client* client : concerned) Refuse(*client, *failure);
}

void Hub::RunDeferred() {
  ended_feed_.reset();
  FinishConnecting();
  SendMarkers();
  if (feed_) feed_->Turn();
  if (feed_ && feed_->unfinished()) context_.loop.Defer(*this);
}

}  // namespace pgvalet::notify

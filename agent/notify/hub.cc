#include "notify/hub.h"

#include <algorithm>
#include <utility>

#include "notify/sql.h"

namespace pgvalet::notify {
namespace {

// As the server's NAMEDATALEN; a longer name would be cut there.
constexpr std::size_t kMaxChannelBytes = 63;

bool IsValid(const std::string& channel) {
  return !channel.empty() && channel.size() <= kMaxChannelBytes &&
         channel.find('\0') == std::string::npos;
}

}  // namespace

void Tell(const LinkPtr& to, Event event, std::uint64_t move) {
  Mail mail{to, std::move(event), move};
  to->undelivered_bytes.fetch_add(mail.Cost(), std::memory_order_relaxed);
  to->mailbox.Put(std::move(mail));
}

Hub::Hub(HubContext& context, std::string database)
    : context_(context),
      database_(std::move(database)),
      retry_([this] { Connect(); }),
      linger_([this] { Close(); }) {}

Hub::~Hub() {
  for (auto& [id, client] : clients_) client.link->hub = nullptr;
  context_.counters->clients.Add(-static_cast<std::int64_t>(clients_.size()));
  context_.counters->channels.Add(-static_cast<std::int64_t>(channels_.size()));
  if (feed_) context_.counters->connections.Add(-1);
}

// ---- clients ----

void Hub::Subscribe(const LinkPtr& link, const pool::PoolKey& key,
                    const std::vector<std::string>& channels, std::uint64_t move) {
  Client& client = ClientOf(link, key);
  if (client.move) EndMove(client);
  client.move = Move{move, {}, 0, false};
  client.last_move = move;
  if (!std::all_of(channels.begin(), channels.end(), IsValid)) {
    return Refuse(client, {ErrorCode::kNotFound, "no channel can have this name"});
  }
  linger_.Disarm();
  for (const std::string& name : channels) AddToMove(client, name);
  context_.loop.Defer(*this);
  if (state_ == State::kClosed) return Connect();
  AnswerIfReady(client);
}

void Hub::AddToMove(Client& client, const std::string& name) {
  if (client.channels.contains(name) || !client.move->channels.insert(name).second) return;
  const auto [found, is_new] = channels_.try_emplace(name);
  Channel& channel = found->second;
  channel.arriving.push_back(&client);
  if (!channel.listened) ++client.move->missing;
  if (!is_new) return;
  context_.counters->channels.Add(1);
  if (state_ == State::kOpen) Listen(name, channel);
}

Hub::Client* Hub::Find(const Link& link) {
  const auto found = clients_.find(link.id);
  return found == clients_.end() ? nullptr : &found->second;
}

Hub::Client& Hub::ClientOf(const LinkPtr& link, const pool::PoolKey& key) {
  const auto [found, is_new] = clients_.try_emplace(link->id);
  if (is_new) {
    found->second.link = link;
    found->second.key = key;
    link->hub = this;
    context_.counters->clients.Add(1);
  }
  return found->second;
}

void Hub::AnswerIfReady(Client& client) {
  if (state_ != State::kOpen || !client.move || client.move->answered) return;
  if (client.move->missing > 0) return;
  client.move->answered = true;
  Tell(client.link, Subscribed{marker_channel_}, client.move->number);
}

// Channels of the move that did not make it are nobody's.
void Hub::EndMove(Client& client) {
  const Move move = std::move(*client.move);
  client.move.reset();
  for (const std::string& name : move.channels) {
    const auto found = channels_.find(name);
    std::erase(found->second.arriving, &client);
    DropIfUnwanted(found);
  }
}

void Hub::Refuse(Client& client, const Error& error) {
  Tell(client.link, Refused{error}, client.move->number);
  EndMove(client);
  ForgetIfIdle(client);
}

void Hub::RefuseAll(const Error& error) {
  for (auto it = clients_.begin(); it != clients_.end();) {
    Client& client = (it++)->second;
    if (client.move) Refuse(client, error);
  }
}

void Hub::Lose(Client& client, const Error& error) {
  context_.counters->clients_lost.Add();
  Tell(client.link, Lost{error}, client.last_move);
  RemoveAll(client);
  Forget(client);
}

void Hub::Forget(Client& client) {
  client.link->hub = nullptr;
  std::erase(overflowing_, &client);
  context_.counters->clients.Add(-1);
  clients_.erase(client.link->id);
  CloseIfUnneeded();
}

void Hub::ForgetIfIdle(Client& client) {
  if (client.channels.empty() && !client.move) Forget(client);
}

void Hub::RemoveChannel(Client& client, const std::string& name) {
  const auto found = channels_.find(name);
  if (found == channels_.end()) return;
  Channel& channel = found->second;
  if (client.channels.erase(name) > 0) {
    std::erase(channel.listeners, &client);
  } else if (client.move && client.move->channels.erase(name) > 0) {
    std::erase(channel.arriving, &client);
    if (!channel.listened) --client.move->missing;
  }
  DropIfUnwanted(found);
}

void Hub::RemoveAll(Client& client) {
  while (!client.channels.empty()) RemoveChannel(client, std::string(*client.channels.begin()));
  if (client.move) EndMove(client);
}

void Hub::DropIfUnwanted(Channels::iterator found) {
  if (!found->second.listeners.empty() || !found->second.arriving.empty()) return;
  if (state_ == State::kOpen) {
    feed_->Ask({Command::Kind::kUnlisten}, UnlistenSql(found->first));
    context_.loop.Defer(*this);
  }
  context_.counters->channels.Add(-1);
  channels_.erase(found);
}

void Hub::Unsubscribe(const Link& link, const std::vector<std::string>& channels) {
  Client* client = Find(link);
  if (client == nullptr) return;
  for (const std::string& name : channels) RemoveChannel(*client, name);
  AnswerIfReady(*client);  // it may have waited for one of these
  ForgetIfIdle(*client);
}

void Hub::UnsubscribeAll(const Link& link) {
  Client* client = Find(link);
  if (client == nullptr) return;
  while (!client->channels.empty()) RemoveChannel(*client, std::string(*client->channels.begin()));
  while (client->move && !client->move->channels.empty()) {
    RemoveChannel(*client, std::string(*client->move->channels.begin()));
  }
  AnswerIfReady(*client);
  ForgetIfIdle(*client);
}

void Hub::Leave(const Link& link) {
  Client* client = Find(link);
  if (client == nullptr) return;
  RemoveAll(*client);
  Forget(*client);
}

// ---- notifications ----

void Hub::OnNotification(const NotificationFields& fields, wire::Bytes message) {
  if (fields.channel == marker_channel_) return OnMarker(fields);
  const auto found = channels_.find(fields.channel);
  if (found == channels_.end() || found->second.listeners.empty()) return;
  const Notification notification(message);
  context_.counters->notifications.Add();
  context_.counters->deliveries.Add(found->second.listeners.size());
  for (Client* client : found->second.listeners) {
    Tell(client->link, notification);
    const std::int64_t behind = client->link->undelivered_bytes.load(std::memory_order_relaxed);
    if (behind > context_.options.max_undelivered_bytes) overflowing_.push_back(client);
  }
  DropOverflowing();
}

void Hub::DropOverflowing() {
  while (!overflowing_.empty()) {
    Lose(*overflowing_.back(),
         {ErrorCode::kLimit, "the client does not take its notifications in time"});
  }
}

// ---- markers ----

void Hub::Mark(const Link& link, const std::string& token) {
  Client* client = Find(link);
  // Not any more, if the connection died meanwhile: the client is about to learn it.
  if (client == nullptr || !client->move || !client->move->answered) return;
  markers_.push_back({token, client->link, client->move->number, 0});
  context_.loop.Defer(*this);
}

void Hub::Barrier(const LinkPtr& link) {
  const Client* client = Find(*link);
  const bool expects = client != nullptr && (!client->channels.empty() || client->move);
  if (!expects) return Tell(link, BarrierPassed{});
  markers_.push_back({{}, link, 0, 0});
  context_.loop.Defer(*this);
}

// One transaction for all that gathered while the last one ran; one token for all barriers in it.
void Hub::SendMarkers() {
  if (state_ != State::kOpen || batch_unanswered_) return;
  const auto first = std::find_if(markers_.begin(), markers_.end(),
                                  [](const Marker& marker) { return marker.batch == 0; });
  if (first == markers_.end()) return;
  const std::uint64_t batch = ++last_batch_;
  // Barriers go last: each of them is passed when everything before it is.
  std::stable_partition(first, markers_.end(), [](const Marker& one) { return one.move != 0; });
  std::string sql;
  std::string last_token;
  for (auto it = first; it != markers_.end(); ++it) {
    it->batch = batch;
    if (it->move == 0) it->token = "barrier." + std::to_string(batch);
    if (it->token != last_token) sql += NotifySql(marker_channel_, it->token);
    last_token = it->token;
  }
  batch_unanswered_ = true;
  feed_->Ask({Command::Kind::kNotify, {}, batch}, sql);
}

void Hub::OnMarker(const NotificationFields& fields) {
  if (fields.sender_pid != backend_pid_) return;
  while (!markers_.empty() && markers_.front().batch != 0 &&
         markers_.front().token == fields.payload) {
    const Marker marker = std::move(markers_.front());
    markers_.pop_front();
    Pass(marker);
  }
}

void Hub::Pass(const Marker& marker) {
  if (marker.move == 0) return Tell(marker.link, BarrierPassed{});
  Client* client = Find(*marker.link);
  if (client == nullptr || !client->move || client->move->number != marker.move) return;
  for (const std::string& name : client->move->channels) {
    Channel& channel = channels_.find(name)->second;
    std::erase(channel.arriving, client);
    channel.listeners.push_back(client);
  }
  client->channels.merge(client->move->channels);
  client->move.reset();
  Tell(marker.link, Marked{}, marker.move);
  ForgetIfIdle(*client);
}

// A batch that failed was rolled back: none of its tokens comes.  That the server's queue is full,
// say, is no reason to end clients that only wanted to know how far their notifications are.
void Hub::OnMarkersAnswered(std::uint64_t batch, const Error* failure) {
  batch_unanswered_ = false;
  if (failure == nullptr) return;
  std::vector<Marker> failed;
  std::erase_if(markers_, [&](Marker& marker) {
    if (marker.batch != batch) return false;
    failed.push_back(std::move(marker));
    return true;
  });
  for (const Marker& marker : failed) {
    Client* client = Find(*marker.link);
    if (marker.move == 0) {
      Tell(marker.link, BarrierPassed{});
    } else if (client != nullptr && client->move && client->move->number == marker.move) {
      Refuse(*client, *failure);
    }
  }
}

// Barriers are always answered, for a client that goes on without its channels as well.
void Hub::AnswerBarriers() {
  for (const Marker& marker : markers_) {
    if (marker.move == 0) Tell(marker.link, BarrierPassed{});
  }
  markers_.clear();
  batch_unanswered_ = false;
}

}  // namespace pgvalet::notify

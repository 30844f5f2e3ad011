#include "session/context.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/log.h"

namespace pgvalet::session {
namespace {

void SetSocketOptions(int fd, const config::Settings& settings) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!settings.tcp_keepalive) return;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  const auto set = [fd](int option, long value) {
    const int as_int = static_cast<int>(value);
    if (as_int > 0) setsockopt(fd, IPPROTO_TCP, option, &as_int, sizeof as_int);
  };
  set(TCP_KEEPCNT, settings.tcp_keepcnt);
  set(TCP_KEEPIDLE, std::chrono::ceil<std::chrono::seconds>(settings.tcp_keepidle).count());
  set(TCP_KEEPINTVL, std::chrono::ceil<std::chrono::seconds>(settings.tcp_keepintvl).count());
}

// Whether idle clients have to be looked at at all.
bool HasIdleTimeouts(const config::Settings& settings) {
  if (settings.client_idle_timeout > Duration::zero()) return true;
  for (const auto& [name, user] : settings.users) {
    if (user.client_idle_timeout.value_or(Duration::zero()) > Duration::zero()) return true;
  }
  return false;
}

}  // namespace

wire::StateRef AcceptedSettings::Find(const pool::PoolKey& pool,
                                      const wire::StateRef& asked) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find({pool, asked});
  return found == entries_.end() ? nullptr : found->second;
}

void AcceptedSettings::Add(const pool::PoolKey& pool, wire::StateRef asked,
                           wire::StateRef spelled) {
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= kMaxEntries) entries_.clear();
  entries_[{pool, std::move(asked)}] = std::move(spelled);
}

void AcceptedSettings::Clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
}

SessionContext::SessionContext(SessionShared& shared, io::Loop& loop, int core,
                               const config::SettingsPtr& settings, auth::UserDirectoryPtr users)
    : shared_(shared),
      loop_(loop),
      core_(core),
      settings_(settings),
      users_(std::move(users)),
      cancel_sender_(loop),
      pools_(*shared.pools, loop, core, settings),
      idle_timeouts_(HasIdleTimeouts(*settings)) {}

SessionContext::~SessionContext() {
  for (SessionList* list : {&login_, &idle_, &waiting_, &active_, &closing_, &dead_}) {
    list->clear_and_dispose([](ClientSession* session) { delete session; });
  }
}

SessionContext::SessionList& SessionContext::ListOf(ClientState state) {
  switch (state) {
    case ClientState::kLogin:
      return login_;
    case ClientState::kIdle:
      return idle_;
    case ClientState::kWaiting:
      return waiting_;
    case ClientState::kActive:
      return active_;
    case ClientState::kClosing:
      return closing_;
    case ClientState::kDead:
      return dead_;
  }
  return dead_;
}

std::size_t SessionContext::client_count() const {
  return login_.size() + idle_.size() + waiting_.size() + active_.size() + closing_.size();
}

void SessionContext::Move(ClientSession& session, ClientState to) {
  session.CountPoolClients(-1);
  ListOf(session.state_).erase(SessionList::s_iterator_to(session));
  session.state_ = to;
  session.state_since_ = loop_.now();
  ListOf(to).push_back(session);
  session.CountPoolClients(1);
  if (to == ClientState::kIdle && move_count_ > 0) loop_.Defer(mover_);
  if (to == ClientState::kDead) {
    loop_.Defer(undertaker_);
    ShowCounts();
  }
}

void SessionContext::ShowCounts() {
  counters().clients.Set(static_cast<std::int64_t>(client_count()));
  counters().clients_logging_in.Set(static_cast<std::int64_t>(login_.size()));
}

void SessionContext::Undertaker::RunDeferred() {
  context_.dead_.clear_and_dispose([](ClientSession* session) { delete session; });
}

void SessionContext::Accept(int fd, const io::Address& peer) {
  counters().accepted.Add();
  if (!peer.is_unix()) SetSocketOptions(fd, *settings_);
  auto* session = new ClientSession(*this, fd, peer);  // owned by the list from here on
  login_.push_back(*session);
  ShowCounts();
  session->Start();
}

void SessionContext::Adopt(std::unique_ptr<ClientSession> session) {
  ClientSession& adopted = *session.release();
  idle_.push_back(adopted);
  adopted.Join(*this);
  ShowCounts();
}

void SessionContext::MoveClients(int to, std::size_t count) {
  move_to_ = to;
  move_count_ = count;
  loop_.Defer(mover_);
}

void SessionContext::MoveIdleClients() {
  SessionContext* target = shared_.cores[static_cast<std::size_t>(move_to_)];
  // From the back: those that were busy just now bring work along.
  std::vector<ClientSession*> movers;
  for (auto it = idle_.rbegin(); it != idle_.rend() && movers.size() < move_count_; ++it) {
    if (it->CanMove()) movers.push_back(&*it);
  }
  for (ClientSession* session : movers) {
    idle_.erase(SessionList::s_iterator_to(*session));
    session->Leave();
    auto parcel = std::make_shared<std::unique_ptr<ClientSession>>(session);
    target->loop_.Post([target, parcel] { target->Adopt(std::move(*parcel)); });
  }
  move_count_ -= movers.size();
  ShowCounts();
}

void SessionContext::SetSettings(config::SettingsPtr settings, auth::UserDirectoryPtr users) {
  settings_ = settings;
  idle_timeouts_ = HasIdleTimeouts(*settings);
  users_ = std::move(users);
  pools_.SetSettings(std::move(settings));
}

void SessionContext::SetState(ServiceState state) {
  state_ = state;
  if (state != ServiceState::kFinishing) return;
  for (SessionList* list : {&login_, &idle_, &waiting_, &active_}) {
    for (auto it = list->begin(); it != list->end();) {
      ClientSession& session = *it++;
      session.FinishSoon(Leaving::kShutdown);
    }
  }
}

void SessionContext::EndAll(const char* reason) {
  for (SessionList* list : {&login_, &idle_, &waiting_, &active_}) {
    while (!list->empty()) list->front().Kill("57P01", reason);
  }
  for (auto it = closing_.begin(); it != closing_.end();) {
    ClientSession& session = *it++;
    Move(session, ClientState::kDead);
  }
}

void SessionContext::Tick(Time now) {
  pools_.Tick(now);
  for (SessionList* list : {&idle_, &closing_}) {
    if (list == &idle_ && !idle_timeouts_) continue;
    for (auto it = list->begin(); it != list->end();) {
      ClientSession& session = *it++;
      session.CheckIdle(now);
    }
  }
  ShowCounts();
  ShowLeases(now);
}

// Once per reading of the extension, whose sampler tells them.
void SessionContext::ShowLeases(Time now) {
  const Duration interval = settings_->sampler_interval;
  if (interval == Duration::zero() || Since(leases_shown_at_, now) < interval) return;
  leases_shown_at_ = now;
  std::vector<stats::LeasedClient> leases;
  for (const ClientSession& session : active_) {
    if (leases.size() >= stats::LeaseBoard::kMaxLeases) break;
    leases.push_back(session.DescribeLease());
  }
  shared_.pools->registry->leases().Put(core_, std::move(leases));
}

void SessionContext::Cancel(std::uint32_t pid, const std::string& secret) {
  // The client may have left or moved since the request was sent here.
  const std::optional<CancelDirectory::Found> found = shared_.cancels.Find(pid, secret);
  if (found && found->core == core_) found->session->CancelQuery();
}

}  // namespace pgvalet::session

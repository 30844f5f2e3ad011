#include "pool/pool.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/log.h"
#include "pool/pool_directory.h"
#include "pool/pool_log.h"
#include "pool/server_restore.h"
#include "wire/message_builder.h"

namespace pgvalet::pool {
namespace {

// More at once would only make the server fork against itself.
constexpr std::size_t kMaxConnecting = 8;
constexpr Duration kFirstRetryDelay = std::chrono::milliseconds(100);
// How far into the idle list a connection with the right settings is looked for.
constexpr int kSettingsLookAhead = 16;

std::int64_t ToMicros(Time time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

// A client that waits this long is worth a connection of another core.
constexpr Duration kHelpAfter = std::chrono::milliseconds(20);

std::uint64_t NextLeaseId() {
  // Leases of all cores differ, since connections travel between them.
  thread_local std::uint64_t next = 0;
  static std::atomic<std::uint64_t> threads{1};
  if (next == 0) next = threads.fetch_add(1) << 48;
  return ++next;
}

constexpr const char* kServerCheck = "server_check_query";

}  // namespace

ServerConnection::ServerConnection(wire::StateRef none) : carried(std::move(none)) {}
ServerConnection::~ServerConnection() = default;

void ServerConnection::OnReadable() { pool->OnIdleReadable(*this); }

Pool::Pool(PoolDirectory& directory, PoolGroupPtr group, PoolPolicy policy)
    : directory_(directory),
      group_(std::move(group)),
      policy_(std::move(policy)),
      counters_(directory.registry().AddPool(group_->key().database, group_->key().user,
                                             config::PoolModeName(policy_.mode),
                                             directory.core())) {
  counters_->pool_size.Set(policy_.pool_size);
}

Pool::~Pool() {
  group_->SetWanting(directory_.core(), 0);
  connecting_.clear();
  for (ServerList* list : {&idle_, &leased_, &busy_, &held_back_, &closing_}) {
    list->clear_and_dispose([](ServerConnection* server) { delete server; });
  }
  directory_.registry().RemovePool(counters_);
}

io::Loop& Pool::loop() { return directory_.loop(); }

bool Pool::Unused() const {
  return clients_ == 0 && waiters_.empty() && connecting_.empty() && server_count() == 0;
}

std::size_t Pool::server_count() const {
  return idle_.size() + leased_.size() + busy_.size() + held_back_.size() + closing_.size();
}

Pool::ServerList& Pool::ListOf(ServerState state) {
  switch (state) {
    case ServerState::kIdle:
      return idle_;
    case ServerState::kLeased:
      return leased_;
    case ServerState::kBusy:
      return busy_;
    case ServerState::kHeldBack:
      return held_back_;
    case ServerState::kClosing:
      return closing_;
  }
  return closing_;
}

void Pool::Move(ServerConnection& server, ServerState to) {
  if (server.is_linked()) ListOf(server.state).erase(ServerList::s_iterator_to(server));
  server.state = to;
  ServerList& list = ListOf(to);
  // The one used last is used next, so that as few as possible stay warm and the rest can go;
  // round robin takes the other end.
  if (to == ServerState::kIdle && !policy_.server_round_robin) {
    list.push_front(server);
  } else {
    list.push_back(server);
  }
  ShowCounts();
}

void Pool::ShowCounts() {
  counters_->servers_idle.Set(static_cast<std::int64_t>(idle_.size()));
  counters_->servers_active.Set(static_cast<std::int64_t>(leased_.size()));
  counters_->servers_testing.Set(static_cast<std::int64_t>(busy_.size()));
  counters_->servers_canceling.Set(static_cast<std::int64_t>(held_back_.size()));
}

// ---- checkout ----

// Zero: before every use.
bool Pool::MustCheck(const ServerConnection& server) {
  if (policy_.server_check_query.empty()) return false;
  if (policy_.server_check_delay == Duration::zero()) return !server.checked;
  return Since(server.used_at, loop().now()) > policy_.server_check_delay;
}

ServerConnection* Pool::PickIdle(const wire::StateRef* wanted) {
  ServerConnection* picked = nullptr;
  int looked = 0;
  for (auto it = idle_.begin(); it != idle_.end() && looked < kSettingsLookAhead;) {
    ServerConnection& server = *it++;
    if (group_->defaults_age().IsOutdated(server.connected_at)) {
      Close(server, kOutdated);
      continue;
    }
    if (MustCheck(server)) {
      StartErrand(server, kServerCheck, policy_.server_check_query);
      continue;
    }
    if (picked == nullptr) picked = &server;
    if (wanted == nullptr || server.carried == *wanted || policy_.server_round_robin) {
      return server.carried == (wanted ? *wanted : server.carried) ? &server : picked;
    }
    ++looked;
  }
  return picked;
}

Lease Pool::Grant(ServerConnection& server, Time waiting_since) {
  const Time now = loop().now();
  server.lease_id = NextLeaseId();
  server.transaction_at = server.request_at = server.ready_at = now;
  Move(server, ServerState::kLeased);
  counters_->leases.Add();
  counters_->wait_time.Record(static_cast<std::uint64_t>(Since(waiting_since, now).count()));
  return Lease(server);
}

Lease Pool::TryCheckout(const wire::StateRef& wanted) {
  if (MustWait()) return {};
  ServerConnection* server = PickIdle(&wanted);
  return server == nullptr ? Lease() : Grant(*server, loop().now());
}

void Pool::Wait(Waiter& waiter) {
  waiter.wait_start = loop().now();
  waiters_.push_back(waiter);
  counters_->lease_waits.Add();
  counters_->clients_waiting.Set(static_cast<std::int64_t>(waiters_.size()));
  counters_->oldest_wait_start_us.Set(ToMicros(waiters_.front().wait_start));
  loop().Defer(*this);
}

void Pool::StopWaiting(Waiter& waiter) {
  waiters_.erase(waiters_.iterator_to(waiter));
  counters_->clients_waiting.Set(static_cast<std::int64_t>(waiters_.size()));
  counters_->oldest_wait_start_us.Set(waiters_.empty() ? 0 : ToMicros(waiters_.front().wait_start));
}

void Pool::ServeWaiters() {
  if (group_->paused()) return;
  HelpSiblings();
  while (Waiter* waiter = NextWaiter()) {
    ServerConnection* server = PickIdle(nullptr);
    if (server == nullptr) break;
    StopWaiting(*waiter);
    waiter->OnLease(Grant(*server, waiter->wait_start));
  }
  ShowWanting();
}

// The first in line, but for those that let others pass.
Waiter* Pool::NextWaiter() {
  if (waiters_.empty()) return nullptr;
  if (!waiters_.front().may_pin || !PinsAreFull()) return &waiters_.front();
  for (Waiter& waiter : waiters_) {
    if (!waiter.may_pin) return &waiter;
  }
  return nullptr;
}

std::size_t Pool::ServableWaiters() const {
  if (!PinsAreFull()) return waiters_.size();
  return static_cast<std::size_t>(std::count_if(
      waiters_.begin(), waiters_.end(), [](const Waiter& waiter) { return !waiter.may_pin; }));
}

// Cores that give a connection back look at this: where a client waits longer than their own.
void Pool::ShowWanting() {
  if (directory_.alone()) return;
  const bool long_wait =
      !waiters_.empty() && Since(waiters_.front().wait_start, loop().now()) > kHelpAfter;
  group_->SetWanting(directory_.core(), long_wait ? ToMicros(waiters_.front().wait_start) : 0);
}

void Pool::RefuseWaiters(const Error& error) {
  // A refused client may come back at once: only those in line now are told.
  for (std::size_t left = waiters_.size(); left > 0 && !waiters_.empty(); --left) {
    Waiter& waiter = waiters_.front();
    StopWaiting(waiter);
    waiter.OnLeaseRefused(error);
  }
}

// ---- giving back ----

void Pool::TakeBack(ServerConnection& server) {
  const Time now = loop().now();
  server.holder = nullptr;
  server.used_at = now;
  server.checked = false;
  Settle(server);
}

void Pool::Settle(ServerConnection& server) {
  if (!server.exchange.Idle() || server.exchange.broken() || !server.partial.empty() ||
      server.answer_rest > 0) {
    Close(server, "it was not clean when its client gave it back");
    return;
  }
  if (server.cancels > 0) {
    server.stream->SetHandler(server);
    Move(server, ServerState::kHeldBack);
    return;
  }
  const bool tied = !server.CanMove();
  const bool reset = tied || policy_.mode == config::PoolMode::kSession || policy_.reset_always;
  if (reset && !policy_.server_reset_query.empty() && !server.retire) {
    StartErrand(server, "server_reset_query", policy_.server_reset_query);
    return;
  }
  if (tied) return Close(server, "its client left something on it");
  MakeFree(server);
}

void Pool::MakeFree(ServerConnection& server) {
  if (const char* reason = WhyNotKeep(server)) return Close(server, reason);
  server.stream->SetHandler(server);
  Move(server, ServerState::kIdle);
  if (!waiters_.empty() || group_->AnyWanting()) loop().Defer(*this);
}

void Pool::EndCancel(std::uint64_t lease_id) {
  for (ServerList* list : {&leased_, &held_back_}) {
    for (ServerConnection& server : *list) {
      if (server.lease_id != lease_id || server.cancels == 0) continue;
      --server.cancels;
      if (server.state == ServerState::kHeldBack && server.cancels == 0) Settle(server);
      return;
    }
  }
}

void Pool::Close(ServerConnection& server, const char* reason) {
  if (server.state == ServerState::kClosing && server.is_linked()) return;
  LogClosed(server, key(), *directory_.settings(), reason, loop().now());
  std::string goodbye;
  wire::AppendTerminate(goodbye);
  // Politeness: without it the server logs an unexpected end.  In the middle of a message it
  // would be read as data, and the end of the stream says the same.
  if (server.exchange.AtReady()) [[maybe_unused]]
    const auto sent = server.stream->Send(goodbye);
  server.stream->SetHandler(server);
  server.holder = nullptr;
  server.quota = Quota();
  counters_->server_closes.Add();
  Move(server, ServerState::kClosing);
  loop().Defer(*this);
}

void Pool::OnIdleReadable(ServerConnection& server) {
  if (server.state == ServerState::kClosing) return;
  while (server.stream->readable()) {
    Result<std::span<std::uint8_t>> got = server.stream->Receive();
    if (!got) return Close(server, "the server closed the connection");
    if (got->empty()) return;
    // A free connection has nothing to say but notices and changed parameters; both mean that
    // what we know of it is no longer true, and a new one is cheap.
    server.retire = true;
    if (server.state == ServerState::kIdle) return Close(server, "the server spoke out of turn");
  }
}

void Pool::BuryClosed() {
  closing_.clear_and_dispose([](ServerConnection* server) { delete server; });
  ShowCounts();
}

// ---- new connections ----

void Pool::LaunchIfNeeded() {
  if (waiters_.empty() || group_->paused()) return;
  const Time now = loop().now();
  if (std::optional<LoginFailure> failure = group_->failure()) {
    const bool recent = Since(failure->at, now) < policy_.server_login_retry;
    if (failure->refused && recent && server_count() == 0) return RefuseWaiters(failure->error);
  }
  if (retry_delay_ > Duration::zero() && now < retry_at_) return;  // Tick() comes back to it
  while (ServableWaiters() > connecting_.size() && connecting_.size() < kMaxConnecting) {
    if (!Launch(0)) break;
    if (retry_delay_ > Duration::zero()) break;  // one is enough to find out
  }
  if (connecting_.empty() && server_count() == 0) AskForHelp(now);
}

bool Pool::Launch(int reserve) {
  std::optional<Quota> quota = group_->TakeQuota(policy_, reserve, ToMicros(loop().now()));
  if (!quota) return false;
  const Time deadline = policy_.ServerDeadline(loop().now());
  Connecting& connecting = connecting_.emplace_back(loop(), deadline, std::move(*quota));
  counters_->servers_connecting.Set(static_cast<std::int64_t>(connecting_.size()));
  connecting.task = Connect(connecting);
  connecting.task.Start();
  return true;
}

io::Task<Done> Pool::Connect(Connecting& connecting) {
  LoginTarget target{policy_.hosts,   policy_.dbname,        key().user,
                     policy_.startup, policy_.connect_query, group_->credentials()};
  connecting.result =
      co_await LogIn(loop(), directory_.resolver(), connecting.channel, std::move(target));
  connect_finished_ = true;
  loop().Defer(*this);
  co_return Done{};
}

void Pool::FinishConnecting() {
  if (!connect_finished_) return;
  connect_finished_ = false;
  for (auto it = connecting_.begin(); it != connecting_.end();) {
    if (!it->result) {
      ++it;
      continue;
    }
    if (*it->result) {
      OnConnected(*it);
    } else {
      OnConnectFailed(it->result->error());
    }
    it = connecting_.erase(it);
  }
  counters_->servers_connecting.Set(static_cast<std::int64_t>(connecting_.size()));
}

void Pool::OnConnected(Connecting& connecting) {
  LoggedIn& in = **connecting.result;
  auto server = std::make_unique<ServerConnection>(directory_.states().none());
  server->id = directory_.NextServerId();
  server->pool = this;
  server->quota = std::move(connecting.quota);
  server->stream = std::move(in.stream);
  server->address = in.address;
  server->backend_pid = in.backend_pid;
  server->cancel_secret = std::move(in.cancel_secret);
  server->welcome = in.welcome;
  server->connected_at = server->used_at = loop().now();
  server->reported = std::move(in.reported);
  if (std::optional<wire::StateRef> state = directory_.states().FromReport(in.state)) {
    server->carried = std::move(*state);
  }
  if (in.learned_keys) group_->SetKeys(std::move(in.learned_keys));
  group_->SetWelcome(in.welcome);
  group_->ClearFailure();
  retry_delay_ = Duration::zero();
  counters_->server_connects.Add();
  if (!server->HasExtension()) {
    NoteNoExtension();
  } else {
    group_->catalog_epoch().Note(server->reported->relations(), true);
    server->retire = server->reported->outdated();
  }
  LogOpened(*server, key(), *directory_.settings());
  MakeFree(*server.release());
}

void Pool::NoteNoExtension() {
  counters_->server_connects_without_extension.Add();
  const bool matters = policy_.mode != config::PoolMode::kSession;
  if (!matters || !group_->FirstWithoutExtension()) return;
  log::warn(
      "server has no pgvalet extension, or it is not preloaded: database={} user={}: session state "
      "is found out by queries (without_extension={})",
      key().database, key().user, config::WithoutExtensionName(policy_.without_extension));
}

void Pool::OnConnectFailed(const Error& error) {
  counters_->server_connect_failures.Add();
  directory_.registry().events().AddLimited(
      {.kind = "server_connect_failed",
       .database = key().database,
       .user = key().user,
       .message = "cannot log in to the server: " + error.ToString()},
      loop().now());
  log::warn("cannot log in to server: database={} user={} error={}", key().database, key().user,
            error.ToString());
  const bool refused = !WorthRetrying(error);
  group_->SetFailure({error, loop().now(), refused});
  if (error.code == ErrorCode::kAuth) group_->SetKeys(nullptr);
  retry_delay_ = retry_delay_ == Duration::zero()
                     ? kFirstRetryDelay
                     : std::min<Duration>(retry_delay_ * 2, policy_.server_login_retry);
  retry_at_ = loop().now() + retry_delay_;
  // Where the database has worked before, clients stay in line until it is back; where it never
  // did, they learn the reason at once.
  const bool never_worked = group_->welcome() == nullptr;
  if ((refused || never_worked) && server_count() == 0) RefuseWaiters(error);
}

// ---- queries of ours ----

void Pool::StartErrand(ServerConnection& server, const char* what, const std::string& sql) {
  Move(server, ServerState::kBusy);
  server.errand = std::make_unique<Errand>(loop(), policy_.ServerDeadline(loop().now()));
  server.errand->what = what;
  server.errand->channel.Use(*server.stream);
  server.errand->task = RunErrand(server, sql);
  server.errand->task.Start();
}

io::Task<Done> Pool::RunErrand(ServerConnection& server, std::string sql) {
  server.errand->result = co_await RunQuery(server.errand->channel, std::move(sql));
  errand_finished_ = true;
  loop().Defer(*this);
  co_return Done{};
}

void Pool::FinishErrands() {
  if (!errand_finished_) return;
  errand_finished_ = false;
  for (auto it = busy_.begin(); it != busy_.end();) {
    ServerConnection& server = *it++;
    if (!server.errand->result) continue;
    const std::unique_ptr<Errand> errand = std::move(server.errand);
    const Result<QueryOutcome>& result = *errand->result;
    server.used_at = loop().now();
    server.checked = errand->what == std::string_view(kServerCheck);
    if (!result || result->status != 'I') {
      if (!result) log::warn("{} failed: {}", errand->what, result.error().ToString());
      Close(server, errand->what);
      continue;
    }
    if (errand->what == std::string_view("server_reset_query")) AfterReset(server);
    NoteReports(server, *result);
    if (!server.CanMove()) {
      Close(server, "server_reset_query left something on it");
      continue;
    }
    MakeFree(server);
  }
}

// It may have been DISCARD ALL: what we believed to be there is not.
void Pool::AfterReset(ServerConnection& server) {
  if (server.HasExtension()) return;  // it says so itself
  server.reported->Clear();
  server.statements.Clear();
  server.carried = directory_.states().none();
}

void Pool::NoteReports(ServerConnection& server, const QueryOutcome& outcome) {
  for (const auto& [name, value] : outcome.parameters) {
    if (name != wire::kSessionParameter) continue;
    const auto report = TakeReport(server, directory_.states(), value);
    if (report && report->statements_gone) server.statements.Clear();
  }
}

void Pool::RunDeferred() {
  FinishConnecting();
  FinishErrands();
  ServeWaiters();
  LaunchIfNeeded();
  BuryClosed();
}

}  // namespace pgvalet::pool

#include "session/client_session.h"

#include <utility>

#include "session/client_login.h"
#include "session/console_client.h"
#include "session/context.h"
#include "session/probe.h"
#include "session/session_log.h"

namespace pgvalet::session {
namespace {

constexpr const char* kShutdown =
    "terminating connection due to administrator command: pgvaletd is shutting down";
constexpr const char* kDrained =
    "terminating connection due to administrator command: the database is drained";

}  // namespace

ClientSession::ClientSession(SessionContext& context, int fd, const io::Address& peer)
    : id_(context.shared().next_client_id.fetch_add(1, std::memory_order_relaxed)),
      context_(&context),
      stream_(context.loop(), fd, *this),
      peer_(io::PeerAddress::From(peer)),
      state_since_(context.loop().now()),
      connected_at_(state_since_) {
  context.shared().clients.fetch_add(1, std::memory_order_relaxed);
}

ClientSession::~ClientSession() {
  if (pool::Waiter::is_linked()) pool_->StopWaiting(*this);
  DropLease("the client session ended");
  if (cancel_key_.pid != 0) context_->shared().cancels.Remove(cancel_key_);
  if (pool_ != nullptr) {
    CountPoolClients(-1);
    pool_->RemoveClient();
  }
  std::atomic<int>& count =
      console_ ? context_->shared().console_clients : context_->shared().clients;
  count.fetch_sub(1, std::memory_order_relaxed);
}

void ClientSession::Start() {
  login_ = std::make_unique<ClientLogin>(*this);
  login_->Start();
}

void ClientSession::CountPoolClients(int by) {
  if (pool_ == nullptr) return;
  if (state_ == ClientState::kIdle) pool_->counters().clients_idle.Add(by);
  if (state_ == ClientState::kActive) pool_->counters().clients_active.Add(by);
}

void ClientSession::EnterRelay(std::string unread) {
  logged_in_ = true;
  pending_ = std::move(unread);
  stream_.SetHandler(*this);
  context_->Move(*this, ClientState::kIdle);
  if (IsLeaving()) return FinishSoon(leaving_);
  // The login coroutine is still below us on the stack, and goes away with login_.
  context_->loop().Defer(*this);
}

// Who looks after the agent counts apart: neither does max_client_conn keep him out, nor does
// anybody wait for him to leave.
void ClientSession::EnterConsole(Console& console, ConsoleCaller caller, std::string unread) {
  logged_in_ = true;
  console_ = std::make_unique<ConsoleClient>(*this, console, std::move(caller), std::move(unread));
  context_->shared().clients.fetch_sub(1, std::memory_order_relaxed);
  context_->shared().console_clients.fetch_add(1, std::memory_order_relaxed);
  stream_.SetHandler(*console_);
  context_->Move(*this, ClientState::kIdle);
  if (IsLeaving()) return FinishSoon(leaving_);
  context_->loop().Defer(*this);  // as in EnterRelay()
}

// ---- leases ----

void ClientSession::TakeLease(pool::Lease lease) {
  lease_ = std::move(lease);
  lease_->holder = this;
  lease_->stream->SetHandler(server_side_);
  server_prepared_ = lease_->carried == wanted_ && lease_->stray_names.empty();
  server_said_fatal_ = false;
  may_have_tied_ = false;
  asks_channels_ = false;
  shape_check_ = ShapeCheck::kNone;
  meaning_ = {};
  bound_.reset();
  probe_.reset();
  context_->Move(*this, ClientState::kActive);
}

stats::LeasedClient ClientSession::DescribeLease() const {
  std::string servers;
  for (const config::HostPort& host : pool_->policy().hosts) {
    servers += (servers.empty() ? "" : ",") + host.host + ":" + std::to_string(host.port);
  }
  const std::string* application = wanted_->Find("application_name");
  return {.servers = std::move(servers),
          .server_pid = lease_ ? lease_->backend_pid : 0,
          .client_addr = peer_.Numeric(),
          .client_port = peer_.port,
          .application_name = application ? *application : "",
          .since = state_since_};
}

bool ClientSession::ReleaseIfIdle() {
  if (!lease_ || !lease_->exchange.Idle() || request_rest_ > 0) return false;
  GateNotifications();
  if (pool_->policy().mode == config::PoolMode::kSession && !IsLeaving()) return false;
  if (may_have_tied_ && !IsLeaving()) {
    SendProbe();
    return false;
  }
  if (!lease_->CanMove()) return MoveChannels() ? false : KeepPinned();
  Unpin();
  lease_.Release();
  context_->Move(*this, ClientState::kIdle);
  if (IsLeaving()) FinishSoon(leaving_);
  return true;
}

void ClientSession::DropLease(const char* reason) {
  if (!lease_) return;
  Unpin();
  lease_.Discard(reason);
}

void ClientSession::GetInLine() {
  context_->Move(*this, ClientState::kWaiting);
  pool::Waiter::may_pin =
      pin_was_held_ && pool_->policy().pin_limit_action == config::PinLimitAction::kWait;
  pool_->Wait(*this);
}

void ClientSession::OnLease(pool::Lease lease) {
  TakeLease(std::move(lease));
  const bool has_request = stream_.readable() || !pending_.empty();
  if (context_->is_suspended() && has_request) return;  // RunDeferred() goes on
  if (!pending_.empty() && !TakeRequests({})) return;
  if (stream_.readable()) return ReadRequests();
  ReleaseIfIdle();
}

void ClientSession::OnLeaseRefused(const Error& error) {
  if (error.code == ErrorCode::kTimeout) {
    const std::string hint =
        error.detail.empty() ? "All server connections of the pool were busy; see "
                               "default_pool_size and query_wait_timeout."
                             : "The last attempt to connect to the server failed: " + error.detail;
    return Kill("53300", "query_wait_timeout: no server connection became free in time", hint);
  }
  const bool from_server = error.code == ErrorCode::kServer && error.sqlstate.size() == 5;
  Kill(from_server ? std::string_view(error.sqlstate) : "08001",
       from_server ? error.detail : "cannot connect to the database server: " + error.ToString());
}

// ---- goodbye ----

void ClientSession::Kill(std::string_view sqlstate, std::string_view message,
                         std::string_view hint) {
  if (state_ == ClientState::kClosing || state_ == ClientState::kDead) return;
  if (context_->settings()->log_pooler_errors) {
    const bool is_known = logged_in_ || !login_;
    LogError({this, peer_, is_known ? database() : login_->database(),
              is_known ? user() : login_->user()},
             sqlstate, message);
  }
  if (logged_in_ && pool_ != nullptr) TellEvent("client_ended", message);
  if (!IsInMessage()) {
    std::string out;
    wire::AppendErrorResponse(out, {"FATAL", sqlstate, message, {}, hint});
    [[maybe_unused]] const Result<Done> sent = stream_.Send(out);
  }
  End(message);
}

void ClientSession::TellEvent(std::string_view kind, std::string_view message) {
  stats::Event event{.kind = std::string(kind),
                     .database = pool_->key().database,
                     .user = pool_->key().user,
                     .client = peer_.ToString(),
                     .message = std::string(message)};
  if (lease_) event.server_pid = lease_->backend_pid;
  context_->events().AddLimited(std::move(event), context_->loop().now());
}

// The client has a part of a message: nothing can be said to it.
bool ClientSession::IsInMessage() const {
  return lease_ && lease_->answer_rest > 0 && !lease_->answer_rest_swallowed;
}

void ClientSession::End(std::string_view reason) {
  if (state_ == ClientState::kClosing || state_ == ClientState::kDead) return;
  if (pool::Waiter::is_linked()) pool_->StopWaiting(*this);
  if (lease_ && lease_->exchange.Idle() && request_rest_ == 0) {
    Unpin();
    lease_.Release();  // session mode: clean, and reset by the pool
  } else {
    DropLease("its client left it in the middle of something");
  }
  if (logged_in_ && pool_ != nullptr && context_->settings()->log_disconnections) {
    LogGoodbye({this, peer_, database(), user()}, reason,
               Since(connected_at_, context_->loop().now()));
  }
  SayGoodbye();
}

void ClientSession::SayGoodbye() {
  // Its last words may have to wait for a slow reader, for a while (CheckIdle()).
  context_->Move(*this, stream_.blocked() ? ClientState::kClosing : ClientState::kDead);
}

void ClientSession::OnClientGone(const Error& error) {
  if (lease_ && lease_->exchange.Outstanding() && !OwnWorkOnly() && lease_->backend_pid != 0) {
    // Nobody will read the answer: the server need not go on with it.
    context_->cancel_sender().Send(lease_->address, lease_->backend_pid, lease_->cancel_secret,
                                   context_->settings()->cancel_wait_timeout, nullptr);
  }
  End(error.code == ErrorCode::kClosed ? "the client closed the connection" : error.ToString());
}

void ClientSession::FinishSoon(Leaving why) {
  leaving_ = why;
  if (logged_in_ && lease_ && (!lease_->exchange.Idle() || request_rest_ > 0)) return;
  Kill("57P01", why == Leaving::kDrain ? kDrained : kShutdown);
}

void ClientSession::CancelQuery() {
  if (console_) return console_->Cancel();
  if (state_ == ClientState::kWaiting) {
    // No server has seen the request: it is answered here, when it has come whole.
    pool_->StopWaiting(*this);
    context_->Move(*this, ClientState::kIdle);
    discarding_ = true;
    return ReadRequests();
  }
  // In session mode or between two statements there may be nothing to cancel: a late cancel must
  // not hit the next statement.
  if (!lease_ || lease_->exchange.AtReady() || OwnWorkOnly()) return;
  pool_->BeginCancel(*lease_);
  const std::uint64_t lease_id = lease_->lease_id;
  SessionContext* context = context_;
  const pool::PoolKey key = pool_->key();
  context_->cancel_sender().Send(lease_->address, lease_->backend_pid, lease_->cancel_secret,
                                 context_->settings()->cancel_wait_timeout,
                                 [context, key, lease_id] {
                                   if (pool::Pool* pool = context->pools().Find(key))
                                     pool->EndCancel(lease_id);
                                 });
}

// ---- from core to core ----

bool ClientSession::CanMove() const {
  return state_ == ClientState::kIdle && !lease_ && !login_ && !console_ && !listening_ &&
         !stream_.blocked() && !stream_.hangup() && pending_.empty() && request_rest_ == 0;
}

void ClientSession::Leave() {
  if (io::Deferred::is_linked()) io::Deferred::unlink();
  stream_.Leave();
  CountPoolClients(-1);
  pool_->RemoveClient();
}

void ClientSession::Join(SessionContext& context) {
  context_ = &context;
  const pool::PoolKey key = pool_->key();
  pool_ = context.pools().Find(key);
  stream_.Join(context.loop());
  context.shared().cancels.Move(cancel_key_, context.core());
  if (pool_ == nullptr) {
    return Kill("3D000", "the database was removed from the configuration of pgvalet");
  }
  pool_->AddClient();
  CountPoolClients(1);
  if (context.state() == ServiceState::kFinishing) return FinishSoon(Leaving::kShutdown);
  if (pool_->group().draining()) FinishSoon(Leaving::kDrain);
}

// ---- events ----

void ClientSession::OnReadable() {
  if (state_ == ClientState::kClosing || state_ == ClientState::kDead) return;
  ReadRequests();
}

void ClientSession::OnWritable() {
  if (state_ == ClientState::kClosing) return context_->Move(*this, ClientState::kDead);
  if (state_ == ClientState::kDead) return;
  // The server was not read while the client was behind.
  GateNotifications();
  if (lease_ && lease_->stream->readable()) OnServerReadable();
}

void ClientSession::RunDeferred() {
  if (login_ && logged_in_) login_.reset();
  if (state_ == ClientState::kClosing || state_ == ClientState::kDead) return;
  if (console_) return console_->Begin();
  if (lease_ && lease_->stream->readable()) OnServerReadable();
  if (state_ == ClientState::kClosing || state_ == ClientState::kDead) return;
  if (stream_.readable() || !pending_.empty()) ReadRequests();
}

}  // namespace pgvalet::session

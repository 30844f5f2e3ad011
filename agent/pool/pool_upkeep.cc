// Pool: what happens with time, and between cores.
#include "base/log.h"
#include "pool/pool.h"
#include "pool/pool_directory.h"

namespace pgvalet::pool {
namespace {

// A client that waits this long on a busy core is worth a message to the others.
constexpr Duration kHelpAfter = std::chrono::milliseconds(20);
// Waits that differ by less are equal: a connection that changes cores costs more than that.
constexpr std::int64_t kSlackMicros = 5000;
// The same between pools under one limit, where a connection has to be closed and another opened.
constexpr std::int64_t kNeighbourSlackMicros = 50'000;

std::int64_t ToMicros(Time time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

}  // namespace

void Pool::Tick(Time now) {
  ExpireWaiters(now);
  ExpireIdle(now);
  for (auto it = leased_.begin(); it != leased_.end();) {
    ServerConnection& server = *it++;  // the holder may give it back or close it
    if (server.holder != nullptr) server.holder->OnLeaseTick(now);
  }
  if (!waiters_.empty() && !group_->paused()) {
    LaunchIfNeeded();
    const Duration waited =
        waiters_.empty() ? Duration{0} : Since(waiters_.front().wait_start, now);
    const bool may_use_reserve =
        policy_.reserve_pool_size > 0 && policy_.reserve_pool_timeout > Duration::zero();
    if (may_use_reserve && waited > policy_.reserve_pool_timeout && connecting_.empty()) {
      Launch(policy_.reserve_pool_size);
    }
    if (waited > kHelpAfter) AskForHelp(now);
    if (PinsAreFull()) loop().Defer(*this);  // on another core one may have ended
  }
  KeepMinimum();
}

void Pool::ExpireWaiters(Time now) {
  if (policy_.query_wait_timeout <= Duration::zero()) return;
  while (!waiters_.empty() &&
         Since(waiters_.front().wait_start, now) >= policy_.query_wait_timeout) {
    Waiter& waiter = waiters_.front();
    StopWaiting(waiter);
    counters_->lease_timeouts.Add();
    Error error{ErrorCode::kTimeout, "query_wait_timeout"};
    if (std::optional<LoginFailure> failure = group_->failure())
      error.detail = failure->error.ToString();
    waiter.OnLeaseRefused(error);
  }
}

void Pool::ExpireIdle(Time now) {
  Shrink();
  std::size_t left = group_->server_connections() > policy_.min_pool_size ? idle_.size() : 0;
  for (auto it = idle_.begin(); it != idle_.end();) {
    ServerConnection& server = *it++;
    const bool old = policy_.server_lifetime > Duration::zero() &&
                     Since(server.connected_at, now) >= policy_.server_lifetime;
    const bool unused = policy_.server_idle_timeout > Duration::zero() &&
                        Since(server.used_at, now) >= policy_.server_idle_timeout;
    if (old) {
      Close(server, "server_lifetime");
    } else if (unused && left > 0) {
      --left;
      Close(server, "server_idle_timeout");
      if (group_->server_connections() <= policy_.min_pool_size) left = 0;
    }
  }
}

void Pool::KeepMinimum() {
  if (group_->paused() || clients_ == 0 || !connecting_.empty() || retry_delay_ > Duration::zero())
    return;
  if (group_->server_connections() < std::min(policy_.min_pool_size, policy_.pool_size)) Launch(0);
}

void Pool::AskForHelp(Time now) {
  if (waiters_.empty()) return;
  if (!directory_.alone()) {
    group_->SetWanting(directory_.core(), ToMicros(waiters_.front().wait_start));
  }
  group_->ShowBlocked(policy_, Since(waiters_.front().wait_start, now).count(), ToMicros(now));
  directory_.AskSiblings(*this, now);
}

// A pool that is never idle would otherwise keep a limit it shares with others to itself.
bool Pool::NeighbourWaitsLonger() {
  const Time now = loop().now();
  const std::int64_t waited =
      waiters_.empty() ? 0 : Since(waiters_.front().wait_start, now).count();
  return group_->ShouldMakeRoom(waited + kNeighbourSlackMicros, ToMicros(now));
}

void Pool::HelpSiblings() {
  while (!idle_.empty() && group_->AnyWanting()) {
    const std::int64_t mine =
        waiters_.empty() ? INT64_MAX : ToMicros(waiters_.front().wait_start) - kSlackMicros;
    const int core = group_->LongestWanting(directory_.core(), mine);
    if (core < 0) return;
    group_->SetWanting(core, 0);  // it asks again if one is not enough
    GiveAway(idle_.back(), core);
  }
}

void Pool::GiveAway(ServerConnection& server, int core) {
  idle_.erase(ServerList::s_iterator_to(server));
  ShowCounts();
  server.stream->Leave();
  directory_.Send(core, key(), std::unique_ptr<ServerConnection>(&server));
}

void Pool::Adopt(std::unique_ptr<ServerConnection> server) {
  server->pool = this;
  server->stream->Join(loop());
  MakeFree(*server.release());
  loop().Defer(*this);
}

bool Pool::CloseOneIdle(const char* reason) {
  if (idle_.empty() || !waiters_.empty()) return false;
  Close(idle_.back(), reason);
  return true;
}

}  // namespace pgvalet::pool

// Pool: the server connections of one (database, user) on one core, and the clients in line.
//
// Decides who gets which server connection and when it comes back; never looks at bytes.
// Every server connection is on exactly one list, which is its state.  Waiters are served first in,
// first out.  Thread: that core's alone; what cores share is in PoolGroup.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "control/connection_info.h"
#include "io/loop.h"
#include "io/resolver.h"
#include "pool/group.h"
#include "pool/lease.h"
#include "pool/policy.h"
#include "pool/server_connection.h"
#include "pool/server_login.h"
#include "pool/server_query.h"
#include "stats/counters.h"
#include "wire/session_state.h"

namespace pgvalet::pool {

class PoolDirectory;

inline constexpr const char* kPoolIsPaused = "the pool is paused";
inline constexpr const char* kOutdated = "sessions begin with other settings since (ALTER ... SET)";

// Somebody in line for a lease.
class Waiter : public boost::intrusive::list_base_hook<> {
 public:
  // Its turn has come; it is out of the line already.
  virtual void OnLease(Lease lease) = 0;
  // There will be no lease, and `error` says why; it is out of the line already.
  virtual void OnLeaseRefused(const Error& error) = 0;

  Time wait_start{};
  // It has held a connection between transactions before: beyond the limit it lets others pass.
  bool may_pin = false;

 protected:
  ~Waiter() = default;
};

// A server connection being made.
struct Connecting {
  Connecting(io::Loop& loop, Time deadline, Quota taken)
      : quota(std::move(taken)), channel(loop, deadline) {}
  Quota quota;
  io::Channel channel;
  io::Task<Done> task;
  std::optional<Result<LoggedIn>> result;
};

// A query of ours on a server connection.
struct Errand {
  Errand(io::Loop& loop, Time deadline) : channel(loop, deadline) {}
  io::Channel channel;
  io::Task<Done> task;
  const char* what = "";
  std::optional<Result<QueryOutcome>> result;
};

class Pool final : public io::Deferred {
 public:
  // `directory` outlives the pool.
  Pool(PoolDirectory& directory, PoolGroupPtr group, PoolPolicy policy);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // A lease now, if a server connection is free and nobody is in line; it prefers one that carries
  // `wanted` already.
  Lease TryCheckout(const wire::StateRef& wanted);
  // TryCheckout() would fail.
  bool MustWait() const { return idle_.empty() || !waiters_.empty() || group_->paused(); }
  // As many clients hold a connection between transactions as may.
  bool PinsAreFull() const { return group_->pinned() >= policy_.max_pinned; }
  // Gets in line.  The answer comes in a later turn of the loop.
  void Wait(Waiter& waiter);
  void StopWaiting(Waiter& waiter);

  // New settings; what already runs goes on.
  void SetPolicy(PoolPolicy policy);
  // Server connections are closed as they become free.
  void RetireAll();
  // It was paused or is drained, or goes on (group()->paused(), draining()).
  void ApplySwitches();
  // All server connections go at once, but for those that clients have.
  void CloseAll(const char* reason);
  // Server connections that are to be replaced and are still there.
  std::size_t CountRetired() const;
  // All server connections, appended.
  void Describe(std::vector<control::ServerInfo>& servers);
  // About ten times a second.
  void Tick(Time now);

  // Notes that a cancel request for `server` begins or has ended; a connection that comes back in
  // between is kept from the next client, whom the cancel would hit.
  void BeginCancel(ServerConnection& server) { ++server.cancels; }
  void EndCancel(std::uint64_t lease_id);

  const PoolKey& key() const { return group_->key(); }
  const PoolPolicy& policy() const { return policy_; }
  PoolGroup& group() { return *group_; }
  stats::PoolCounters& counters() { return *counters_; }
  io::Loop& loop();

  void AddClient() { ++clients_; }
  void RemoveClient() { --clients_; }
  // No clients, no servers, nothing under way.
  bool Unused() const;
  std::size_t server_count() const;

  // For Lease and ServerConnection alone.
  void TakeBack(ServerConnection& server);
  void Close(ServerConnection& server, const char* reason);
  void OnIdleReadable(ServerConnection& server);

  // For PoolDirectory alone: a connection from another core; a look whether another core needs one;
  // room for a pool that is kept waiting by a limit both share.
  void Adopt(std::unique_ptr<ServerConnection> server);
  void HelpSiblings();
  bool CloseOneIdle(const char* reason);

  void RunDeferred() override;

 private:
  using ServerList = boost::intrusive::list<ServerConnection>;

  // The only function that changes a server connection's state.
  void Move(ServerConnection& server, ServerState to);
  ServerList& ListOf(ServerState state);
  void ShowCounts();

  bool MustCheck(const ServerConnection& server);
  ServerConnection* PickIdle(const wire::StateRef* wanted);
  Lease Grant(ServerConnection& server, Time waiting_since);
  void ServeWaiters();
  Waiter* NextWaiter();
  std::size_t ServableWaiters() const;
  void ShowWanting();
  void RefuseWaiters(const Error& error);
  void GiveAway(ServerConnection& server, int core);
  // Where a connection that nobody has goes: closed, held back, to be reset, or free.
  void Settle(ServerConnection& server);
  void MakeFree(ServerConnection& server);
  // Of one that has become free: null when it may stay.
  const char* WhyNotKeep(const ServerConnection& server);
  // Closes free connections that the pool has lost the right to (group()->IsTooLarge()).
  void Shrink();

  void LaunchIfNeeded();
  bool Launch(int reserve);
  io::Task<Done> Connect(Connecting& connecting);
  void FinishConnecting();
  void OnConnected(Connecting& connecting);
  void NoteNoExtension();
  control::ServerInfo DescribeServer(const ServerConnection& server);
  void OnConnectFailed(const Error& error);

  void StartErrand(ServerConnection& server, const char* what, const std::string& sql);
  io::Task<Done> RunErrand(ServerConnection& server, std::string sql);
  void FinishErrands();
  void AfterReset(ServerConnection& server);
  void NoteReports(ServerConnection& server, const QueryOutcome& outcome);
  void BuryClosed();

  void ExpireWaiters(Time now);
  void ExpireIdle(Time now);
  void AskForHelp(Time now);
  bool NeighbourWaitsLonger();
  void KeepMinimum();

  PoolDirectory& directory_;
  const PoolGroupPtr group_;
  PoolPolicy policy_;
  std::shared_ptr<stats::PoolCounters> counters_;
  int clients_ = 0;

  ServerList idle_;  // the next to be leased in front
  ServerList leased_;
  ServerList busy_;
  ServerList held_back_;
  ServerList closing_;
  boost::intrusive::list<Waiter> waiters_;  // longest wait in front
  std::list<Connecting> connecting_;

  bool connect_finished_ = false;
  bool errand_finished_ = false;
  Duration retry_delay_{0};  // after a failed connect; zero: the last one worked
  Time retry_at_{};
};

}  // namespace pgvalet::pool

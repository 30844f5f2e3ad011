// PoolDirectory: all pools of one core, and the way to the same pools on other cores.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.h"
#include "io/loop.h"
#include "io/resolver.h"
#include "pool/group.h"
#include "pool/pool.h"
#include "stats/counters.h"
#include "wire/session_state.h"

namespace pgvalet::pool {

// What all cores share.  Outlives every directory.
struct Shared {
  GroupDirectory groups;
  wire::StateStore states;
  stats::Registry* registry = nullptr;
  io::Resolver* resolver = nullptr;
  std::string agent_name;                      // sent to servers as pgvalet.agent
  std::vector<class PoolDirectory*> siblings;  // by core; complete before any core runs
  std::atomic<std::uint64_t> next_server_id{1};
};

class PoolDirectory {
 public:
  PoolDirectory(Shared& shared, io::Loop& loop, int core, config::SettingsPtr settings);
  PoolDirectory(const PoolDirectory&) = delete;
  PoolDirectory& operator=(const PoolDirectory&) = delete;

  // The pool, made if it is new.  Null when the settings have no such database.
  Pool* Find(const PoolKey& key);

  void SetSettings(config::SettingsPtr settings);
  const config::SettingsPtr& settings() const { return settings_; }
  // About ten times a second.
  void Tick(Time now);
  // In these, an empty `database` is all of them.
  // Closes server connections as they become free.
  void RetireAll(const std::string& database = {});
  // Switches of the groups have changed.
  void ApplySwitches();
  // Closes server connections at once, but for those that clients have.
  void CloseAll(const std::string& database, const char* reason);
  std::size_t CountRetired(const std::string& database) const;
  void Describe(std::vector<control::ServerInfo>& servers) const;
  // Nothing is open or under way: a core without clients can sleep.
  bool empty() const { return pools_.empty(); }
  std::size_t server_count() const;

  // For pools.
  int core() const { return core_; }
  bool alone() const { return shared_.siblings.size() < 2; }
  io::Loop& loop() { return loop_; }
  io::Resolver& resolver() { return *shared_.resolver; }
  stats::Registry& registry() { return *shared_.registry; }
  wire::StateStore& states() { return shared_.states; }
  std::uint64_t NextServerId() {
    return shared_.next_server_id.fetch_add(1, std::memory_order_relaxed);
  }
  // Hands a free server connection to another core.
  void Send(int core, const PoolKey& key, std::unique_ptr<ServerConnection> server);
  // Has `pool`'s siblings look at who wants what; where a limit of the database or user keeps the
  // pool waiting, free connections of other pools under that limit go.
  void AskSiblings(const Pool& pool, Time now);

 private:
  void MakeRoom(const PoolKey& key);

  Shared& shared_;
  io::Loop& loop_;
  const int core_;
  config::SettingsPtr settings_;
  std::map<PoolKey, std::unique_ptr<Pool>> pools_;
  std::map<PoolKey, Time> asked_at_;  // when siblings were last asked
};

}  // namespace pgvalet::pool

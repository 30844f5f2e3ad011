// PoolGroup: what the pools of one (database, user) on all cores share.
//
// A pool belongs to the process, its server connections live on cores.  The group counts them, so
// the limits hold for the process; it knows which core has a client that waits and nothing to give
// it; and it keeps what the last login to the server said.
//
// Threads   every core; counts are atomic, the rest is behind a mutex that is taken when a server
//           connection is made or fails, never for a transaction.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "auth/server_auth.h"
#include "base/clock.h"
#include "base/result.h"
#include "pool/catalog_age.h"
#include "pool/policy.h"
#include "pool/switches.h"
#include "stats/snapshot.h"

namespace pgvalet::pool {

// What a server reports of itself at login: ParameterStatus in the order sent.
struct Welcome {
  std::vector<std::pair<std::string, std::string>> parameters;

  // Null when it was not reported.  `lower_name` in lower case.
  const std::string* Find(std::string_view lower_name) const;
};
using WelcomePtr = std::shared_ptr<const Welcome>;

// A login to the server that did not work.
struct LoginFailure {
  Error error{ErrorCode::kIo};
  Time at{};
  bool refused = false;  // the server said no (as opposed to: it could not be reached)
};

class PoolGroup;

// A limit that several pools share: max_db_connections of a database, max_user_connections of a
// user.
struct SharedLimit {
  std::atomic<int> count{0};
  // A pool that may not grow because of it: how long its first client had waited when it said so.
  std::atomic<std::int64_t> blocked_waited_us{0};
  std::atomic<std::int64_t> blocked_said_us{0};
  std::atomic<const void*> blocked_who{nullptr};  // which PoolGroup, for comparison only
  // A connection was closed for that pool: until this moment nobody else takes the place.
  std::atomic<std::int64_t> reserved_until_us{0};
};

struct Quotas {
  std::shared_ptr<SharedLimit> database;
  std::shared_ptr<SharedLimit> user;
};

// The switches that count for a pool: those of the process and those of its database.
struct SwitchesInForce {
  const Switches* process = nullptr;  // outlives every pool
  std::shared_ptr<Switches> database;
};

// The right to one server connection; given back when it is destroyed.
class Quota {
 public:
  Quota() = default;
  Quota(Quota&& other) noexcept : group_(std::move(other.group_)) { other.group_ = nullptr; }
  Quota& operator=(Quota&& other) noexcept;
  ~Quota();

 private:
  friend class PoolGroup;
  explicit Quota(std::shared_ptr<PoolGroup> group) : group_(std::move(group)) {}
  std::shared_ptr<PoolGroup> group_;
};

class PoolGroup : public std::enable_shared_from_this<PoolGroup> {
 public:
  static constexpr int kMaxCores = 256;

  // `catalog_epoch` is that of the database.
  PoolGroup(PoolKey key, Quotas quotas, SwitchesInForce switches,
            std::shared_ptr<CatalogEpoch> catalog_epoch)
      : key_(std::move(key)),
        quotas_(std::move(quotas)),
        switches_(std::move(switches)),
        catalog_epoch_(std::move(catalog_epoch)) {}

  const PoolKey& key() const { return key_; }
  bool paused() const {
    return switches_.process->paused.load(std::memory_order_relaxed) ||
           switches_.database->paused.load(std::memory_order_relaxed);
  }
  bool draining() const {
    return switches_.process->draining.load(std::memory_order_relaxed) ||
           switches_.database->draining.load(std::memory_order_relaxed);
  }
  DefaultsAge& defaults_age() { return defaults_age_; }
  CatalogEpoch& catalog_epoch() { return *catalog_epoch_; }

  // A server connection more, if pool_size + `reserve` and the limits of database and user allow
  // it.
  std::optional<Quota> TakeQuota(const PoolPolicy& policy, int reserve, std::int64_t now_us);
  // The pool has been made smaller: connections beyond its size are closed as they become free.
  void BeginShrinking() { shrinking_.store(true, std::memory_order_relaxed); }
  // Should a free connection be closed for that?  The reserve may be used again once there are no
  // more than `pool_size`.  Two cores that ask at one moment may close one more than they must.
  bool IsTooLarge(int pool_size);
  // Says that a pool waits because of a limit it shares with others.  Does nothing when it is only
  // its own size that stops it.
  void ShowBlocked(const PoolPolicy& policy, std::int64_t waited_us, std::int64_t now_us);
  // Should a free connection of this pool be closed, because a pool under the same limit waits
  // longer than `waited_us`?  True for one connection each time such a pool has said so.
  bool ShouldMakeRoom(std::int64_t waited_us, std::int64_t now_us);
  // Clients that hold a connection between transactions.
  void AddPinned(int by) { pinned_.fetch_add(by, std::memory_order_relaxed); }
  int pinned() const { return pinned_.load(std::memory_order_relaxed); }
  // True the first time only.
  bool FirstWithoutExtension() {
    return !without_extension_told_.exchange(true, std::memory_order_relaxed);
  }
  int server_connections() const { return servers_.load(std::memory_order_relaxed); }

  // Waits on other cores.  `since_us` is when the first client of `core` began to wait, 0: none
  // that needs help.
  void SetWanting(int core, std::int64_t since_us);
  // The core whose client waits longest, if it began before `before_us`; -1: none.  `me` excepted.
  int LongestWanting(int me, std::int64_t before_us) const;
  bool AnyWanting() const { return wanting_count_.load(std::memory_order_relaxed) > 0; }

  WelcomePtr welcome() const;
  void SetWelcome(WelcomePtr welcome);

  std::optional<LoginFailure> failure() const;
  void SetFailure(LoginFailure failure);
  void ClearFailure();

  // How to log in to the server; the newest client's login decides.
  auth::ServerCredentials credentials() const;
  void SetCredentials(auth::ServerCredentials credentials);
  void SetKeys(std::shared_ptr<const auth::ScramKeys> keys);

 private:
  friend class Quota;
  void ReturnQuota();
  bool TakeShared(SharedLimit& limit, int most, std::int64_t now_us) const;

  const PoolKey key_;
  const Quotas quotas_;
  const SwitchesInForce switches_;
  DefaultsAge defaults_age_;
  const std::shared_ptr<CatalogEpoch> catalog_epoch_;
  std::atomic<int> servers_{0};
  std::atomic<bool> shrinking_{false};
  std::atomic<int> pinned_{0};
  std::atomic<bool> without_extension_told_{false};
  std::atomic<int> wanting_count_{0};
  std::array<std::atomic<std::int64_t>, kMaxCores> wanting_{};

  mutable std::mutex mutex_;  // protects all below
  WelcomePtr welcome_;
  std::optional<LoginFailure> failure_;
  auth::ServerCredentials credentials_;
};
using PoolGroupPtr = std::shared_ptr<PoolGroup>;

// All groups of the process.  Thread-safe.
class GroupDirectory {
 public:
  PoolGroupPtr Find(const PoolKey& key);

  // Of a database, whether it has pools or not.
  std::shared_ptr<Switches> SwitchesOf(const std::string& database);
  Switches& process_switches() { return process_switches_; }
  // New clients of this database are refused, by its own switch or by that of the process.
  bool IsDisabled(const std::string& database);
  // There is, or has been, a pool of this database and user.
  bool Has(const PoolKey& key) const;
  // What is switched off now: the process first, then databases by name.
  std::vector<stats::SwitchedDatabase> Switched() const;
  // Clients have come for this database.
  bool Has(const std::string& database) const;
  // Server connections that are open or being opened, of one database or (empty) of all.
  int ServerConnections(const std::string& database) const;

 private:
  const std::shared_ptr<Switches>& LockedSwitchesOf(const std::string& database);

  Switches process_switches_;
  mutable std::mutex mutex_;  // protects all below
  std::map<PoolKey, PoolGroupPtr> groups_;
  std::map<std::string, std::shared_ptr<Switches>> switches_;  // by database
  std::map<std::string, std::shared_ptr<SharedLimit>> by_database_;
  std::map<std::string, std::shared_ptr<SharedLimit>> by_user_;
  std::map<std::string, std::shared_ptr<CatalogEpoch>> epochs_;  // by database
};

}  // namespace pgvalet::pool

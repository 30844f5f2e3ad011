#include "pool/group.h"

#include "wire/session_state.h"

namespace pgvalet::pool {
namespace {

// One more, unless that is over the limit (0: no limit).
bool TakeOne(std::atomic<int>& count, int limit) {
  int now = count.load(std::memory_order_relaxed);
  do {
    if (limit > 0 && now >= limit) return false;
  } while (!count.compare_exchange_weak(now, now + 1, std::memory_order_relaxed));
  return true;
}

// What a blocked pool said longer ago than this no longer counts: it says it at every tick.
constexpr std::int64_t kBlockedFreshUs = 300'000;

}  // namespace

const std::string* Welcome::Find(std::string_view lower_name) const {
  for (const auto& [name, value] : parameters) {
    if (wire::LowerCase(name) == lower_name) return &value;
  }
  return nullptr;
}

Quota& Quota::operator=(Quota&& other) noexcept {
  std::swap(group_, other.group_);
  return *this;
}

Quota::~Quota() {
  if (group_) group_->ReturnQuota();
}

bool PoolGroup::TakeShared(SharedLimit& limit, int most, std::int64_t now_us) const {
  if (most > 0 && limit.reserved_until_us.load(std::memory_order_relaxed) > now_us) {
    if (limit.blocked_who.load(std::memory_order_relaxed) != this) return false;
    limit.reserved_until_us.store(0, std::memory_order_relaxed);
  }
  return TakeOne(limit.count, most);
}

std::optional<Quota> PoolGroup::TakeQuota(const PoolPolicy& policy, int reserve,
                                          std::int64_t now_us) {
  if (!TakeOne(servers_, policy.pool_size + reserve)) return std::nullopt;
  if (!TakeShared(*quotas_.database, policy.max_db_connections, now_us)) {
    servers_.fetch_sub(1, std::memory_order_relaxed);
    return std::nullopt;
  }
  if (!TakeShared(*quotas_.user, policy.max_user_connections, now_us)) {
    quotas_.database->count.fetch_sub(1, std::memory_order_relaxed);
    servers_.fetch_sub(1, std::memory_order_relaxed);
    return std::nullopt;
  }
  return Quota(shared_from_this());
}

bool PoolGroup::IsTooLarge(int pool_size) {
  if (!shrinking_.load(std::memory_order_relaxed)) return false;
  if (server_connections() > pool_size) return true;
  shrinking_.store(false, std::memory_order_relaxed);
  return false;
}

void PoolGroup::ShowBlocked(const PoolPolicy& policy, std::int64_t waited_us, std::int64_t now_us) {
  if (server_connections() >= policy.pool_size) return;
  const auto show = [&](SharedLimit& limit, int most) {
    if (most == 0 || limit.count.load(std::memory_order_relaxed) < most) return;
    limit.blocked_waited_us.store(waited_us, std::memory_order_relaxed);
    limit.blocked_said_us.store(now_us, std::memory_order_relaxed);
    limit.blocked_who.store(this, std::memory_order_relaxed);
  };
  show(*quotas_.database, policy.max_db_connections);
  show(*quotas_.user, policy.max_user_connections);
}

bool PoolGroup::ShouldMakeRoom(std::int64_t waited_us, std::int64_t now_us) {
  for (SharedLimit* limit : {quotas_.database.get(), quotas_.user.get()}) {
    const std::int64_t said = limit->blocked_said_us.load(std::memory_order_relaxed);
    if (said == 0 || now_us - said > kBlockedFreshUs) continue;
    if (limit->blocked_waited_us.load(std::memory_order_relaxed) <= waited_us) continue;
    if (limit->blocked_who.load(std::memory_order_relaxed) == this) continue;
    limit->blocked_said_us.store(0, std::memory_order_relaxed);
    limit->reserved_until_us.store(now_us + kBlockedFreshUs, std::memory_order_relaxed);
    return true;
  }
  return false;
}

void PoolGroup::ReturnQuota() {
  servers_.fetch_sub(1, std::memory_order_relaxed);
  quotas_.database->count.fetch_sub(1, std::memory_order_relaxed);
  quotas_.user->count.fetch_sub(1, std::memory_order_relaxed);
}

void PoolGroup::SetWanting(int core, std::int64_t since_us) {
  const std::int64_t before =
      wanting_[static_cast<std::size_t>(core)].exchange(since_us, std::memory_order_relaxed);
  if (before == 0 && since_us != 0) wanting_count_.fetch_add(1, std::memory_order_relaxed);
  if (before != 0 && since_us == 0) wanting_count_.fetch_sub(1, std::memory_order_relaxed);
}

int PoolGroup::LongestWanting(int me, std::int64_t before_us) const {
  int core = -1;
  for (int i = 0; i < kMaxCores; ++i) {
    const std::int64_t since =
        wanting_[static_cast<std::size_t>(i)].load(std::memory_order_relaxed);
    if (since == 0 || i == me || since >= before_us) continue;
    before_us = since;
    core = i;
  }
  return core;
}

WelcomePtr PoolGroup::welcome() const {
  const std::lock_guard lock(mutex_);
  return welcome_;
}

void PoolGroup::SetWelcome(WelcomePtr welcome) {
  const std::lock_guard lock(mutex_);
  welcome_ = std::move(welcome);
}

std::optional<LoginFailure> PoolGroup::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void PoolGroup::SetFailure(LoginFailure failure) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(failure);
}

void PoolGroup::ClearFailure() {
  const std::lock_guard lock(mutex_);
  failure_.reset();
}

auth::ServerCredentials PoolGroup::credentials() const {
  const std::lock_guard lock(mutex_);
  return credentials_;
}

void PoolGroup::SetCredentials(auth::ServerCredentials credentials) {
  const std::lock_guard lock(mutex_);
  credentials_ = std::move(credentials);
}

void PoolGroup::SetKeys(std::shared_ptr<const auth::ScramKeys> keys) {
  const std::lock_guard lock(mutex_);
  credentials_.keys = std::move(keys);
}

PoolGroupPtr GroupDirectory::Find(const PoolKey& key) {
  const std::lock_guard lock(mutex_);
  PoolGroupPtr& group = groups_[key];
  if (!group) {
    auto& database = by_database_[key.database];
    if (!database) database = std::make_shared<SharedLimit>();
    auto& user = by_user_[key.user];
    if (!user) user = std::make_shared<SharedLimit>();
    auto& epoch = epochs_[key.database];
    if (!epoch) epoch = std::make_shared<CatalogEpoch>();
    group = std::make_shared<PoolGroup>(
        key, Quotas{database, user},
        SwitchesInForce{&process_switches_, LockedSwitchesOf(key.database)}, epoch);
  }
  return group;
}

const std::shared_ptr<Switches>& GroupDirectory::LockedSwitchesOf(const std::string& database) {
  std::shared_ptr<Switches>& switches = switches_[database];
  if (!switches) switches = std::make_shared<Switches>();
  return switches;
}

std::shared_ptr<Switches> GroupDirectory::SwitchesOf(const std::string& database) {
  const std::lock_guard lock(mutex_);
  return LockedSwitchesOf(database);
}

bool GroupDirectory::IsDisabled(const std::string& database) {
  return process_switches_.disabled || SwitchesOf(database)->disabled;
}

bool GroupDirectory::Has(const PoolKey& key) const {
  const std::lock_guard lock(mutex_);
  return groups_.contains(key);
}

std::vector<stats::SwitchedDatabase> GroupDirectory::Switched() const {
  std::vector<stats::SwitchedDatabase> all;
  const auto add = [&](const std::string& database, const Switches& switches) {
    const bool paused = switches.paused.load(std::memory_order_relaxed) ||
                        switches.suspended.load(std::memory_order_relaxed);
    const bool disabled = switches.disabled.load(std::memory_order_relaxed);
    if (paused || disabled) all.push_back({database, paused, disabled});
  };
  add({}, process_switches_);
  const std::lock_guard lock(mutex_);
  for (const auto& [database, switches] : switches_) add(database, *switches);
  return all;
}

bool GroupDirectory::Has(const std::string& database) const {
  const std::lock_guard lock(mutex_);
  return by_database_.contains(database);
}

int GroupDirectory::ServerConnections(const std::string& database) const {
  const std::lock_guard lock(mutex_);
  int count = 0;
  for (const auto& [key, group] : groups_) {
    if (database.empty() || key.database == database) count += group->server_connections();
  }
  return count;
}

}  // namespace pgvalet::pool

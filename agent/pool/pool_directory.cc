#include "pool/pool_directory.h"

#include <utility>

namespace pgvalet::pool {
namespace {

// Siblings are not asked more often than this for one pool.
constexpr Duration kAskEvery = std::chrono::milliseconds(10);

}  // namespace

PoolDirectory::PoolDirectory(Shared& shared, io::Loop& loop, int core, config::SettingsPtr settings)
    : shared_(shared), loop_(loop), core_(core), settings_(std::move(settings)) {}

Pool* PoolDirectory::Find(const PoolKey& key) {
  if (const auto found = pools_.find(key); found != pools_.end()) return found->second.get();
  if (settings_->FindDatabase(key.database) == nullptr) return nullptr;
  auto made = std::make_unique<Pool>(*this, shared_.groups.Find(key),
                                     PolicyFor(*settings_, key, shared_.agent_name));
  return pools_.emplace(key, std::move(made)).first->second.get();
}

void PoolDirectory::SetSettings(config::SettingsPtr settings) {
  settings_ = std::move(settings);
  for (auto& [key, pool] : pools_) {
    if (settings_->FindDatabase(key.database) != nullptr) {
      pool->SetPolicy(PolicyFor(*settings_, key, shared_.agent_name));
    } else {
      pool->RetireAll();  // its clients are told when they next need a server
    }
  }
}

void PoolDirectory::Tick(Time now) {
  for (auto it = pools_.begin(); it != pools_.end();) {
    it->second->Tick(now);
    if (it->second->Unused()) {
      asked_at_.erase(it->first);
      it = pools_.erase(it);
    } else {
      ++it;
    }
  }
}

void PoolDirectory::RetireAll(const std::string& database) {
  for (auto& [key, pool] : pools_) {
    if (database.empty() || key.database == database) pool->RetireAll();
  }
}

void PoolDirectory::ApplySwitches() {
  for (auto& [key, pool] : pools_) pool->ApplySwitches();
}

void PoolDirectory::CloseAll(const std::string& database, const char* reason) {
  for (auto& [key, pool] : pools_) {
    if (database.empty() || key.database == database) pool->CloseAll(reason);
  }
}

std::size_t PoolDirectory::CountRetired(const std::string& database) const {
  std::size_t count = 0;
  for (const auto& [key, pool] : pools_) {
    if (database.empty() || key.database == database) count += pool->CountRetired();
  }
  return count;
}

void PoolDirectory::Describe(std::vector<control::ServerInfo>& servers) const {
  for (const auto& [key, pool] : pools_) pool->Describe(servers);
}

std::size_t PoolDirectory::server_count() const {
  std::size_t count = 0;
  for (const auto& [key, pool] : pools_) count += pool->server_count();
  return count;
}

void PoolDirectory::Send(int core, const PoolKey& key, std::unique_ptr<ServerConnection> server) {
  PoolDirectory* to = shared_.siblings[static_cast<std::size_t>(core)];
  // std::function wants to be copied, which a unique_ptr does not.
  auto parcel = std::make_shared<std::unique_ptr<ServerConnection>>(std::move(server));
  to->loop_.Post([to, key, parcel] {
    if (Pool* pool = to->Find(key)) pool->Adopt(std::move(*parcel));
    // Without a pool (the database was removed meanwhile) the parcel closes with us.
  });
}

void PoolDirectory::AskSiblings(const Pool& pool, Time now) {
  Time& asked = asked_at_[pool.key()];
  if (Since(asked, now) < kAskEvery) return;
  asked = now;
  const PoolKey& key = pool.key();  // the lambda has a copy
  for (PoolDirectory* sibling : shared_.siblings) {
    sibling->loop_.Post([sibling, key] {
      if (const auto found = sibling->pools_.find(key); found != sibling->pools_.end()) {
        found->second->HelpSiblings();
      }
      sibling->MakeRoom(key);
    });
  }
}

void PoolDirectory::MakeRoom(const PoolKey& key) {
  const config::DatabaseSettings* database = settings_->FindDatabase(key.database);
  if (database == nullptr) return;
  const PoolPolicy policy = PolicyFor(*settings_, key, shared_.agent_name);
  for (auto& [other, pool] : pools_) {
    if (other == key) continue;
    const bool same_limit = (policy.max_db_connections > 0 && other.database == key.database) ||
                            (policy.max_user_connections > 0 && other.user == key.user);
    if (same_limit && pool->CloseOneIdle("another pool under the same limit needs room")) return;
  }
}

}  // namespace pgvalet::pool

#include "stats/reported_pools.h"

#include <set>

namespace pgvalet::stats {

ReportedPools::Key ReportedPools::KeyOf(const ReportedPool& pool) {
  return {pool.application, pool.name, pool.instance};
}

Result<Done> ReportedPools::Report(std::vector<ReportedPool> pools, Duration ttl, Time now) {
  const std::lock_guard lock(mutex_);
  Forget(now);
  std::set<Key> added;
  for (const ReportedPool& pool : pools) {
    if (!pools_.contains(KeyOf(pool))) added.insert(KeyOf(pool));
  }
  if (pools_.size() + added.size() > kMaxPools) {
    return Error{ErrorCode::kLimit, "too many reported pools", 0,
                 "the agent keeps " + std::to_string(kMaxPools)};
  }
  for (ReportedPool& pool : pools) {
    Key key = KeyOf(pool);
    pools_[std::move(key)] = {std::move(pool), now, now + ttl};
  }
  return Done{};
}

std::vector<std::pair<ReportedPool, Time>> ReportedPools::List(Time now) {
  std::vector<std::pair<ReportedPool, Time>> all;
  const std::lock_guard lock(mutex_);
  Forget(now);
  all.reserve(pools_.size());
  for (const auto& [key, kept] : pools_) all.emplace_back(kept.pool, kept.reported_at);
  return all;
}

void ReportedPools::Forget(Time now) {
  std::erase_if(pools_, [now](const auto& entry) { return entry.second.until <= now; });
}

}  // namespace pgvalet::stats

#include "stats/counters.h"

#include <algorithm>
#include <utility>

namespace pgvalet::stats {

std::shared_ptr<PoolCounters> Registry::AddPool(std::string database, std::string user,
                                                std::string pool_mode, int core) {
  auto pool = std::make_shared<PoolCounters>();
  pool->database = std::move(database);
  pool->user = std::move(user);
  pool->pool_mode = std::move(pool_mode);
  pool->core = core;
  const std::lock_guard lock(mutex_);
  pools_.push_back(pool);
  return pool;
}

void Registry::RemovePool(const std::shared_ptr<PoolCounters>& pool) {
  const std::lock_guard lock(mutex_);
  if (std::erase(pools_, pool) > 0) removed_.push_back(pool);
}

std::shared_ptr<CoreCounters> Registry::AddCore(int core) {
  auto counters = std::make_shared<CoreCounters>();
  counters->core = core;
  const std::lock_guard lock(mutex_);
  cores_.push_back(counters);
  return counters;
}

std::vector<std::shared_ptr<const PoolCounters>> Registry::pools() const {
  const std::lock_guard lock(mutex_);
  return {pools_.begin(), pools_.end()};
}

std::vector<std::shared_ptr<const CoreCounters>> Registry::cores() const {
  const std::lock_guard lock(mutex_);
  return {cores_.begin(), cores_.end()};
}

Registry::Collected Registry::Collect() {
  const std::lock_guard lock(mutex_);
  Collected all{{pools_.begin(), pools_.end()},
                {cores_.begin(), cores_.end()},
                {removed_.begin(), removed_.end()},
                pins_.List()};
  removed_.clear();
  return all;
}

}  // namespace pgvalet::stats

#include "stats/lease_board.h"

#include <utility>

namespace pgvalet::stats {

void LeaseBoard::Put(int core, std::vector<LeasedClient> clients) {
  const std::lock_guard lock(mutex_);
  by_core_[core].swap(clients);
}

std::vector<LeasedClient> LeaseBoard::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<LeasedClient> list;
  for (const auto& [core, clients] : by_core_) {
    list.insert(list.end(), clients.begin(), clients.end());
  }
  return list;
}

}  // namespace pgvalet::stats

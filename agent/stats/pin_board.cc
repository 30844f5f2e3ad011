#include "stats/pin_board.h"

#include <utility>

namespace pgvalet::stats {

PinBoard::Id PinBoard::Put(Id id, PinnedClient client) {
  const std::lock_guard lock(mutex_);
  if (id == 0) id = ++last_;
  clients_[id] = std::move(client);
  return id;
}

void PinBoard::Remove(Id& id) {
  if (id == 0) return;
  const std::lock_guard lock(mutex_);
  clients_.erase(std::exchange(id, 0));
}

std::vector<PinnedClient> PinBoard::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<PinnedClient> list;
  list.reserve(clients_.size());
  for (const auto& [id, client] : clients_) list.push_back(client);
  return list;
}

}  // namespace pgvalet::stats

// Pool: what settings and administrators change, and what they are told.
#include <algorithm>
#include <utility>

#include "pool/pool.h"
#include "pool/pool_directory.h"

namespace pgvalet::pool {
namespace {

constexpr const char* kDrained = "the database is drained";
constexpr const char* kTooLarge = "the pool was made smaller";

}  // namespace

void Pool::SetPolicy(PoolPolicy policy) {
  const bool moved = policy.startup != policy_.startup || policy.dbname != policy_.dbname ||
                     policy.connect_query != policy_.connect_query ||
                     policy.hosts.size() != policy_.hosts.size();
  bool same_hosts = !moved;
  for (std::size_t i = 0; same_hosts && i < policy.hosts.size(); ++i) {
    same_hosts = policy.hosts[i].host == policy_.hosts[i].host &&
                 policy.hosts[i].port == policy_.hosts[i].port;
  }
  const int size_before = policy_.pool_size;
  policy_ = std::move(policy);
  counters_->pool_size.Set(policy_.pool_size);
  if (!same_hosts) RetireAll();
  if (policy_.pool_size < size_before) group_->BeginShrinking();
  Shrink();
  if (policy_.pool_size > size_before) loop().Defer(*this);  // somebody may be in line
}

void Pool::Shrink() {
  while (!idle_.empty() && group_->IsTooLarge(policy_.pool_size)) Close(idle_.back(), kTooLarge);
}

const char* Pool::WhyNotKeep(const ServerConnection& server) {
  if (server.retire) return "it is to be replaced";
  if (group_->paused()) return kPoolIsPaused;
  if (group_->draining()) return kDrained;
  if (group_->defaults_age().IsOutdated(server.connected_at)) return kOutdated;
  if (policy_.server_lifetime > Duration::zero() &&
      Since(server.connected_at, loop().now()) > policy_.server_lifetime) {
    return "server_lifetime";
  }
  if (group_->IsTooLarge(policy_.pool_size)) return kTooLarge;
  if (NeighbourWaitsLonger()) return "another pool under the same limit waits longer";
  return nullptr;
}

void Pool::RetireAll() {
  for (ServerList* list : {&leased_, &busy_, &held_back_}) {
    for (ServerConnection& server : *list) server.retire = true;
  }
  while (!idle_.empty()) Close(idle_.front(), "it is to be replaced");
}

void Pool::ApplySwitches() {
  if (!group_->paused() && !group_->draining()) return loop().Defer(*this);  // somebody may wait
  while (!idle_.empty()) Close(idle_.front(), group_->paused() ? kPoolIsPaused : kDrained);
}

void Pool::CloseAll(const char* reason) {
  connecting_.clear();
  counters_->servers_connecting.Set(0);
  for (ServerList* list : {&idle_, &busy_, &held_back_}) {
    while (!list->empty()) Close(list->front(), reason);
  }
}

std::size_t Pool::CountRetired() const {
  std::size_t count = closing_.size();
  for (const ServerList* list : {&leased_, &busy_, &held_back_}) {
    count += static_cast<std::size_t>(std::count_if(
        list->begin(), list->end(), [](const ServerConnection& server) { return server.retire; }));
  }
  return count;
}

control::ServerInfo Pool::DescribeServer(const ServerConnection& server) {
  const auto endpoint_of = [](const io::Address& address) -> control::Endpoint {
    const io::PeerAddress numeric = io::PeerAddress::From(address);
    if (address.is_unix()) return {"unix", 0};
    return {numeric.Numeric(), numeric.port};
  };
  control::ServerInfo info;
  info.id = server.id;
  info.database = key().database;
  info.user = key().user;
  if (const std::string* name = server.carried->Find("application_name")) {
    info.application_name = *name;
  }
  info.peer = endpoint_of(server.address);
  info.local = endpoint_of(io::LocalAddress(server.stream->fd()));
  info.connected_at = server.connected_at;
  info.request_at = server.request_at;
  info.server_pid = server.backend_pid;
  info.prepared_statements = static_cast<std::int64_t>(server.statements.size());
  info.close_needed = server.retire;
  info.address = reinterpret_cast<std::uintptr_t>(&server);
  info.unsent_bytes = static_cast<std::int64_t>(server.stream->outbox_bytes());
  info.has_extension = server.HasExtension();
  if (server.holder != nullptr) server.holder->DescribeHolder(info);
  return info;
}

void Pool::Describe(std::vector<control::ServerInfo>& servers) {
  const auto append = [this, &servers](const ServerList& list, control::ServerState state) {
    for (const ServerConnection& server : list) {
      servers.push_back(DescribeServer(server));
      const bool is_used = state == control::ServerState::kIdle && MustCheck(server);
      servers.back().state = is_used ? control::ServerState::kUsed : state;
    }
  };
  append(leased_, control::ServerState::kActive);
  append(idle_, control::ServerState::kIdle);
  append(busy_, control::ServerState::kTested);
  append(held_back_, control::ServerState::kCanceled);
  for (std::size_t i = 0; i < connecting_.size(); ++i) {
    control::ServerInfo info;
    info.database = key().database;
    info.user = key().user;
    servers.push_back(std::move(info));
  }
}

}  // namespace pgvalet::pool

#include "advice/recent_counts.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace pgvalet::advice {
namespace {

constexpr Duration kApart = std::chrono::seconds(30);

// A counter that is below what it was has begun anew.
std::uint64_t Grown(std::uint64_t now, std::uint64_t before) {
  return now >= before ? now - before : now;
}

std::uint64_t LossesOf(const stats::ListeningStatus& channels) {
  return channels.connections_lost + channels.connect_failures;
}

}  // namespace

RecentCounts::Reading RecentCounts::Read(const stats::Snapshot& snapshot) {
  Reading reading;
  reading.at = snapshot.steady_time;
  for (const stats::PoolSnapshot& pool : snapshot.pools) {
    reading.pools.push_back({pool.database, pool.user, pool.totals.lease_timeouts,
                             pool.totals.server_connect_failures});
  }
  reading.login_failures = snapshot.agent.login_failures;
  reading.refused = snapshot.agent.refused;
  reading.listening_losses = LossesOf(snapshot.agent.status.channels);
  reading.listening_clients_lost = snapshot.agent.status.channels.clients_lost;
  return reading;
}

void RecentCounts::Take(const stats::Snapshot& snapshot) {
  if (has_newer_ && Since(newer_.at, snapshot.steady_time) < kApart) return;
  // The first reading is not yet a base to measure from: what the start of the agent met counts.
  if (has_newer_) older_ = std::move(newer_);
  newer_ = Read(snapshot);
  has_newer_ = true;
}

std::uint64_t RecentCounts::OfPool(const stats::PoolSnapshot& pool, std::uint64_t now,
                                   std::uint64_t PoolCounts::*counter) const {
  if (now == 0) return 0;
  const auto before =
      std::lower_bound(older_.pools.begin(), older_.pools.end(), pool,
                       [](const PoolCounts& a, const stats::PoolSnapshot& b) {
                         return std::tie(a.database, a.user) < std::tie(b.database, b.user);
                       });
  const bool is_there = before != older_.pools.end() && before->database == pool.database &&
                        before->user == pool.user;
  return is_there ? Grown(now, (*before).*counter) : now;
}

std::uint64_t RecentCounts::LeaseTimeouts(const stats::PoolSnapshot& pool) const {
  return OfPool(pool, pool.totals.lease_timeouts, &PoolCounts::lease_timeouts);
}

std::uint64_t RecentCounts::ConnectFailures(const stats::PoolSnapshot& pool) const {
  return OfPool(pool, pool.totals.server_connect_failures, &PoolCounts::connect_failures);
}

std::uint64_t RecentCounts::LoginFailures(const stats::AgentHealth& agent) const {
  return Grown(agent.login_failures, older_.login_failures);
}

std::uint64_t RecentCounts::Refused(const stats::AgentHealth& agent) const {
  return Grown(agent.refused, older_.refused);
}

std::uint64_t RecentCounts::ListeningLosses(const stats::AgentHealth& agent) const {
  return Grown(LossesOf(agent.status.channels), older_.listening_losses);
}

std::uint64_t RecentCounts::ListeningClientsLost(const stats::AgentHealth& agent) const {
  return Grown(agent.status.channels.clients_lost, older_.listening_clients_lost);
}

}  // namespace pgvalet::advice

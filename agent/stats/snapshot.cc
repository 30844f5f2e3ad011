#include "stats/snapshot.h"

#include <algorithm>
#include <chrono>
#include <iterator>

namespace pgvalet::stats {
namespace {

// Every plain counter of PoolTotals, so that adding and subtracting cannot forget one.
constexpr std::uint64_t PoolTotals::*kCounters[] = {
    &PoolTotals::leases,
    &PoolTotals::lease_timeouts,
    &PoolTotals::lease_waits,
    &PoolTotals::transactions,
    &PoolTotals::queries,
    &PoolTotals::errors,
    &PoolTotals::from_clients_bytes,
    &PoolTotals::to_clients_bytes,
    &PoolTotals::from_servers_bytes,
    &PoolTotals::to_servers_bytes,
    &PoolTotals::client_parses,
    &PoolTotals::server_parses,
    &PoolTotals::binds,
    &PoolTotals::client_logins,
    &PoolTotals::server_connects,
    &PoolTotals::server_connects_without_extension,
    &PoolTotals::server_connect_failures,
    &PoolTotals::server_closes,
    &PoolTotals::setting_restores,
    &PoolTotals::pins,
};
constexpr HistogramData PoolTotals::*kHistograms[] = {
    &PoolTotals::wait_time, &PoolTotals::transaction_time, &PoolTotals::query_time};

static_assert(sizeof(PoolTotals) == std::size(kCounters) * sizeof(std::uint64_t) +
                                        std::size(kHistograms) * sizeof(HistogramData),
              "a member of PoolTotals is missing above");

}  // namespace

const char* AgentStateName(AgentState state) {
  switch (state) {
    case AgentState::kStarting:
      return "starting";
    case AgentState::kRunning:
      return "running";
    case AgentState::kDraining:
      return "draining";
  }
  return "unknown";
}

void PoolTotals::Add(const PoolTotals& other) {
  for (auto counter : kCounters) this->*counter += other.*counter;
  for (auto histogram : kHistograms) (this->*histogram).Add(other.*histogram);
}

PoolTotals PoolTotals::Since(const PoolTotals& earlier) const {
  PoolTotals difference = *this;
  for (auto counter : kCounters) difference.*counter -= earlier.*counter;
  for (auto histogram : kHistograms) {
    difference.*histogram = (this->*histogram).Since(earlier.*histogram);
  }
  return difference;
}

Percentiles PercentilesOf(const HistogramData& data) {
  return {.count = data.total(),
          .p50_us = data.Percentile(0.50),
          .p90_us = data.Percentile(0.90),
          .p99_us = data.Percentile(0.99),
          .max_us = data.Percentile(1.0)};
}

PoolWindow WindowOf(const PoolTotals& counted, Duration length) {
  const double seconds = std::chrono::duration<double>(length).count();
  const auto per_s = [seconds](std::uint64_t count) {
    return static_cast<double>(count) / seconds;
  };
  return {.leases_per_s = per_s(counted.leases),
          .lease_waits_per_s = per_s(counted.lease_waits),
          .transactions_per_s = per_s(counted.transactions),
          .queries_per_s = per_s(counted.queries),
          .errors_per_s = per_s(counted.errors),
          .from_clients_bytes_per_s = per_s(counted.from_clients_bytes),
          .to_clients_bytes_per_s = per_s(counted.to_clients_bytes),
          .from_servers_bytes_per_s = per_s(counted.from_servers_bytes),
          .to_servers_bytes_per_s = per_s(counted.to_servers_bytes),
          .wait_time = PercentilesOf(counted.wait_time),
          .transaction_time = PercentilesOf(counted.transaction_time),
          .query_time = PercentilesOf(counted.query_time)};
}

PoolGauges SumOf(const std::vector<PoolSnapshot>& pools) {
  PoolGauges sum;
  for (const PoolSnapshot& pool : pools) {
    sum.clients_active += pool.now.clients_active;
    sum.clients_waiting += pool.now.clients_waiting;
    sum.clients_idle += pool.now.clients_idle;
    sum.clients_pinned += pool.now.clients_pinned;
    sum.servers_active += pool.now.servers_active;
    sum.servers_idle += pool.now.servers_idle;
    sum.servers_connecting += pool.now.servers_connecting;
    sum.servers_testing += pool.now.servers_testing;
    sum.servers_canceling += pool.now.servers_canceling;
    sum.pool_size += pool.now.pool_size;
    sum.longest_wait_us = std::max(sum.longest_wait_us, pool.now.longest_wait_us);
  }
  return sum;
}

}  // namespace pgvalet::stats

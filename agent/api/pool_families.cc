// Metric families of pools.
#include <cstddef>
#include <cstdint>
#include <limits>

#include "api/metric_builder.h"
#include "base/clean_text.h"

namespace pgvalet::api {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using stats::PoolGauges;
using stats::PoolSnapshot;
using stats::PoolTotals;

Labels LabelsOf(const PoolSnapshot& pool) {
  // Prometheus refuses a page for one byte that is not UTF-8.
  return {{"database", CleanUtf8(pool.database)}, {"user", CleanUtf8(pool.user)}};
}

struct PoolCounterMetric {
  const char* name;
  const char* help;
  std::uint64_t PoolTotals::*value;
};

constexpr PoolCounterMetric kPoolCounters[] = {
    {"pgvalet_pool_leases_total", "Leases granted.", &PoolTotals::leases},
    {"pgvalet_pool_lease_waits_total", "Leases that were not granted at once.",
     &PoolTotals::lease_waits},
    {"pgvalet_pool_lease_timeouts_total", "Clients refused because query_wait_timeout passed.",
     &PoolTotals::lease_timeouts},
    {"pgvalet_pool_transactions_total", "Transactions ended.", &PoolTotals::transactions},
    {"pgvalet_pool_queries_total", "Requests answered.", &PoolTotals::queries},
    {"pgvalet_pool_errors_total", "Errors passed to clients.", &PoolTotals::errors},
    {"pgvalet_pool_from_clients_bytes_total", "Bytes received from clients.",
     &PoolTotals::from_clients_bytes},
    {"pgvalet_pool_to_clients_bytes_total", "Bytes sent to clients.",
     &PoolTotals::to_clients_bytes},
    {"pgvalet_pool_from_servers_bytes_total", "Bytes received from servers.",
     &PoolTotals::from_servers_bytes},
    {"pgvalet_pool_to_servers_bytes_total", "Bytes sent to servers.",
     &PoolTotals::to_servers_bytes},
    {"pgvalet_pool_client_parses_total", "Parse messages of clients for named statements.",
     &PoolTotals::client_parses},
    {"pgvalet_pool_server_parses_total",
     "Parse messages sent to servers for named statements, also those the agent added.",
     &PoolTotals::server_parses},
    {"pgvalet_pool_binds_total", "Bind messages of clients.", &PoolTotals::binds},
    {"pgvalet_pool_client_logins_total", "Clients logged in.", &PoolTotals::client_logins},
    {"pgvalet_pool_server_connects_total", "Server connections opened and logged in.",
     &PoolTotals::server_connects},
    {"pgvalet_pool_server_connects_without_extension_total",
     "Of the server connections opened, those to servers without the extension.",
     &PoolTotals::server_connects_without_extension},
    {"pgvalet_pool_server_connect_failures_total", "Server connections that could not be opened.",
     &PoolTotals::server_connect_failures},
    {"pgvalet_pool_server_closes_total", "Server connections closed.", &PoolTotals::server_closes},
    {"pgvalet_pool_setting_restores_total", "Leases that had to restore session settings first.",
     &PoolTotals::setting_restores},
    {"pgvalet_pool_pins_total",
     "Transactions after which a client kept its server connection, its session being tied to it.",
     &PoolTotals::pins},
};

struct PoolStateMetric {
  const char* state;
  std::int64_t PoolGauges::*value;
};

constexpr PoolStateMetric kClientStates[] = {{"active", &PoolGauges::clients_active},
                                             {"waiting", &PoolGauges::clients_waiting},
                                             {"idle", &PoolGauges::clients_idle}};
constexpr PoolStateMetric kServerStates[] = {{"active", &PoolGauges::servers_active},
                                             {"idle", &PoolGauges::servers_idle},
                                             {"connecting", &PoolGauges::servers_connecting},
                                             {"testing", &PoolGauges::servers_testing},
                                             {"canceling", &PoolGauges::servers_canceling}};

struct PoolHistogramMetric {
  const char* name;
  const char* help;
  HistogramData PoolTotals::*value;
};

constexpr PoolHistogramMetric kPoolHistograms[] = {
    {"pgvalet_pool_wait_seconds", "From asking for a lease to having it; 0 when granted at once.",
     &PoolTotals::wait_time},
    {"pgvalet_pool_transaction_seconds", "From lease to the end of the transaction.",
     &PoolTotals::transaction_time},
    {"pgvalet_pool_query_seconds", "From request to ReadyForQuery.", &PoolTotals::query_time},
};

// Of our four buckets per power of two every fourth bound is told, from 32 us to 67 s: exact
// counts, a factor of two apart.
constexpr int kFirstBoundLog2 = 5;
constexpr int kLastBoundLog2 = 26;

ClientMetric::Histogram CumulativeOf(const HistogramData& data) {
  ClientMetric::Histogram histogram;
  std::uint64_t seen = 0;
  int bucket = 0;
  for (int log2 = kFirstBoundLog2; log2 <= kLastBoundLog2; ++log2) {
    const std::uint64_t bound_us = std::uint64_t{1} << log2;
    // Durations are recorded in whole microseconds, rounded down: what is at most bound - 1 there
    // took less than the bound.
    for (; HistogramData::UpperBound(bucket) < bound_us; ++bucket) {
      seen += data.count[static_cast<std::size_t>(bucket)];
    }
    histogram.bucket.push_back({.cumulative_count = seen, .upper_bound = Seconds(bound_us)});
  }
  histogram.sample_count = data.total();
  histogram.sample_sum = Seconds(data.sum_us);
  histogram.bucket.push_back({.cumulative_count = histogram.sample_count,
                              .upper_bound = std::numeric_limits<double>::infinity()});
  return histogram;
}

template <std::size_t N>
void AddPoolStates(Families& families, const std::vector<PoolSnapshot>& pools, const char* name,
                   const char* help, const PoolStateMetric (&states)[N]) {
  MetricFamily& family = AddFamily(families, name, help, MetricType::Gauge);
  for (const PoolSnapshot& pool : pools) {
    for (const PoolStateMetric& state : states) {
      Labels labels = LabelsOf(pool);
      labels.push_back({"state", state.state});
      AddValue(family, std::move(labels), static_cast<double>(pool.now.*state.value));
    }
  }
}

}  // namespace

void AddPoolFamilies(Families& families, const std::vector<PoolSnapshot>& pools) {
  MetricFamily& info =
      AddFamily(families, "pgvalet_pool_info", "1; the pool mode is a label.", MetricType::Gauge);
  for (const PoolSnapshot& pool : pools) {
    Labels labels = LabelsOf(pool);
    labels.push_back({"pool_mode", pool.pool_mode});
    AddValue(info, std::move(labels), 1);
  }
  AddPoolStates(families, pools, "pgvalet_pool_clients", "Clients of the pool by state.",
                kClientStates);
  AddPoolStates(families, pools, "pgvalet_pool_server_connections",
                "Server connections of the pool by state.", kServerStates);
  MetricFamily& size = AddFamily(families, "pgvalet_pool_size",
                                 "Most server connections the pool may have.", MetricType::Gauge);
  for (const PoolSnapshot& pool : pools) {
    AddValue(size, LabelsOf(pool), static_cast<double>(pool.now.pool_size));
  }
  MetricFamily& pinned =
      AddFamily(families, "pgvalet_pool_clients_pinned",
                "Clients that hold a server connection between transactions.", MetricType::Gauge);
  for (const PoolSnapshot& pool : pools) {
    AddValue(pinned, LabelsOf(pool), static_cast<double>(pool.now.clients_pinned));
  }
  MetricFamily& wait = AddFamily(families, "pgvalet_pool_longest_wait_seconds",
                                 "Wait so far of the client that waits longest; 0: nobody waits.",
                                 MetricType::Gauge);
  for (const PoolSnapshot& pool : pools) {
    AddValue(wait, LabelsOf(pool), Seconds(pool.now.longest_wait_us));
  }
  for (const PoolCounterMetric& metric : kPoolCounters) {
    MetricFamily& family = AddFamily(families, metric.name, metric.help, MetricType::Counter);
    for (const PoolSnapshot& pool : pools) {
      AddValue(family, LabelsOf(pool), static_cast<double>(pool.totals.*metric.value));
    }
  }
  for (const PoolHistogramMetric& metric : kPoolHistograms) {
    MetricFamily& family = AddFamily(families, metric.name, metric.help, MetricType::Histogram);
    for (const PoolSnapshot& pool : pools) {
      ClientMetric value;
      value.label = LabelsOf(pool);
      value.histogram = CumulativeOf(pool.totals.*metric.value);
      family.metric.push_back(std::move(value));
    }
  }
}

}  // namespace pgvalet::api

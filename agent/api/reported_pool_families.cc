// Metric families of pools that applications report, all instances of one together: instances come
// and go, and each would be a series for ever.
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "api/metric_builder.h"

namespace pgvalet::api {
namespace {

using prometheus::MetricType;
using stats::ReportedPool;

struct ReportedMetric {
  const char* name;
  const char* help;
  std::int64_t ReportedPool::*value;
};

constexpr ReportedMetric kGauges[] = {
    {"pgvalet_reported_pool_max_connections", "Most connections that the pool may have.",
     &ReportedPool::max_connections},
    {"pgvalet_reported_pool_in_use", "Connections lent out.", &ReportedPool::in_use},
    {"pgvalet_reported_pool_idle", "Connections that are free.", &ReportedPool::idle},
    {"pgvalet_reported_pool_waiting", "Callers that wait for one.", &ReportedPool::waiting},
};

}  // namespace

void AddReportedPoolFamilies(Families& families,
                             const std::vector<stats::ReportedPoolSnapshot>& pools) {
  for (const ReportedMetric& metric : kGauges) {
    std::map<std::pair<std::string, std::string>, std::int64_t> sums;
    for (const stats::ReportedPoolSnapshot& reported : pools) {
      sums[{reported.pool.application, reported.pool.name}] += reported.pool.*metric.value;
    }
    prometheus::MetricFamily& family =
        AddFamily(families, metric.name, metric.help, MetricType::Gauge);
    for (const auto& [key, sum] : sums) {
      AddValue(family, {{"application", key.first}, {"pool", key.second}},
               static_cast<double>(sum));
    }
  }
}

}  // namespace pgvalet::api

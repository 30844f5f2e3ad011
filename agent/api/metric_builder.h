// Small steps of which metric families are made.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <utility>
#include <vector>

#include "stats/snapshot.h"

namespace pgvalet::api {

using Labels = std::vector<prometheus::ClientMetric::Label>;
using Families = std::vector<prometheus::MetricFamily>;

template <typename Number>
double Seconds(Number us) {
  return static_cast<double>(us) / 1e6;
}

inline double Seconds(stats::WallTime time) { return Seconds(time.time_since_epoch().count()); }

// The reference is good until the next family is added.
inline prometheus::MetricFamily& AddFamily(Families& families, const char* name, const char* help,
                                           prometheus::MetricType type) {
  families.push_back({.name = name, .help = help, .type = type, .metric = {}});
  return families.back();
}

inline void AddValue(prometheus::MetricFamily& family, Labels labels, double value) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  // The serializer reads the one that the family's type names.
  metric.gauge.value = value;
  metric.counter.value = value;
  family.metric.push_back(std::move(metric));
}

template <typename Number>
void AddGauge(Families& families, const char* name, const char* help, Number value,
              Labels labels = {}) {
  AddValue(AddFamily(families, name, help, prometheus::MetricType::Gauge), std::move(labels),
           static_cast<double>(value));
}

template <typename Number>
void AddCounter(Families& families, const char* name, const char* help, Number value,
                Labels labels = {}) {
  AddValue(AddFamily(families, name, help, prometheus::MetricType::Counter), std::move(labels),
           static_cast<double>(value));
}

// The parts of a page.
void AddAgentFamilies(Families& families, const stats::Snapshot& snapshot);
void AddPoolFamilies(Families& families, const std::vector<stats::PoolSnapshot>& pools);
void AddAlertFamilies(Families& families, const stats::Snapshot& snapshot);
void AddReportedPoolFamilies(Families& families,
                             const std::vector<stats::ReportedPoolSnapshot>& pools);
void AddExtensionFamilies(Families& families, const stats::ExtensionSample& sample);

}  // namespace pgvalet::api

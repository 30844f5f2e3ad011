// A Snapshot as Prometheus metric families.
//
// Names: base units (seconds, bytes), _total for what only grows.  docs/metrics.md lists all.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "stats/snapshot.h"

namespace pgvalet::api {

// Families without a value in this snapshot are left out.
std::vector<prometheus::MetricFamily> MetricFamilies(const stats::Snapshot& snapshot);

// The same in the text format 0.0.4.
std::string MetricsText(const stats::Snapshot& snapshot);

}  // namespace pgvalet::api

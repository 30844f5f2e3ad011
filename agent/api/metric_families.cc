#include "api/metric_families.h"

#include <prometheus/text_serializer.h>

#include "api/metric_builder.h"

namespace pgvalet::api {

std::vector<prometheus::MetricFamily> MetricFamilies(const stats::Snapshot& snapshot) {
  Families families;
  AddAgentFamilies(families, snapshot);
  AddPoolFamilies(families, snapshot.pools);
  AddReportedPoolFamilies(families, snapshot.reported_pools);
  AddAlertFamilies(families, snapshot);
  AddExtensionFamilies(families, *snapshot.extension);
  std::erase_if(families, [](const prometheus::MetricFamily& family) {
    return family.metric.empty();  // no pools, no cores
  });
  return families;
}

std::string MetricsText(const stats::Snapshot& snapshot) {
  return prometheus::TextSerializer().Serialize(MetricFamilies(snapshot));
}

}  // namespace pgvalet::api

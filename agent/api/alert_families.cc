// Metric families of alerts, pins and switches: what somebody has to look at.
//
// Names of backends, applications and clients come and go, and each would be a series for ever:
// alerts about them are counted under their kind ("backend").
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>

#include "api/metric_builder.h"
#include "base/clean_text.h"

namespace pgvalet::api {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using stats::Alert;
using stats::Severity;

// Kinds of components whose names are few and stay.
constexpr std::array kNamedKinds = {"pool", "database", "agent", "core", "server", "extension"};

std::string ComponentOf(const Alert& alert) {
  const bool is_named =
      std::find(kNamedKinds.begin(), kNamedKinds.end(), alert.kind) != kNamedKinds.end();
  return CleanText(is_named ? alert.component : alert.kind);
}

void AddAlerts(Families& families, const std::vector<Alert>& alerts) {
  std::map<std::tuple<std::string, std::string, Severity>, int> counts;
  std::array<int, 3> by_severity{};
  for (const Alert& alert : alerts) {
    ++counts[{CleanText(alert.name), ComponentOf(alert), alert.severity}];
    ++by_severity[static_cast<std::size_t>(alert.severity)];
  }
  MetricFamily& family =
      AddFamily(families, "pgvalet_alert", "Alerts that there are now, see docs/alerts.md.",
                MetricType::Gauge);
  for (const auto& [key, count] : counts) {
    const auto& [name, component, severity] = key;
    AddValue(
        family,
        {{"name", name}, {"component", component}, {"severity", stats::SeverityName(severity)}},
        count);
  }
  MetricFamily& sums = AddFamily(families, "pgvalet_alerts",
                                 "How many alerts there are now, by severity.", MetricType::Gauge);
  for (const Severity severity : {Severity::kInfo, Severity::kWarning, Severity::kCritical}) {
    AddValue(sums, {{"severity", stats::SeverityName(severity)}},
             by_severity[static_cast<std::size_t>(severity)]);
  }
}

void AddPins(Families& families, const std::vector<stats::PinSnapshot>& pins) {
  std::map<std::string, int> by_reason;
  for (const stats::PinSnapshot& pin : pins) {
    for (const stats::PinReasonCount& reason : pin.client.reasons) ++by_reason[reason.reason];
  }
  MetricFamily& family =
      AddFamily(families, "pgvalet_pins",
                "Clients that hold a server connection between transactions, by reason; one client "
                "may have several.",
                MetricType::Gauge);
  for (const auto& [reason, count] : by_reason) AddValue(family, {{"reason", reason}}, count);
  AddGauge(families, "pgvalet_longest_pin_seconds",
           "How long the client that is pinned longest has been; 0: nobody is.",
           pins.empty() ? 0.0 : Seconds(pins.front().age_us));
}

}  // namespace

void AddAlertFamilies(Families& families, const stats::Snapshot& snapshot) {
  AddAlerts(families, snapshot.alerts);
  AddPins(families, snapshot.pins);
}

}  // namespace pgvalet::api

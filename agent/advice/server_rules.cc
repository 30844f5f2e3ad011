// Rules about the server, from what the extension says; and about the extension itself.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "advice/observation.h"
#include "advice/rules.h"

namespace pgvalet::advice {
namespace {

using stats::AdviceRow;
using stats::Alert;
using stats::BackendRow;
using stats::ExtensionSample;
using stats::Severity;

constexpr double kCriticalPercent = 95;

// A sample older than this many intervals, and this long, is one that the sampler hangs on.
constexpr int kStaleIntervals = 5;
constexpr Duration kStaleAfter = std::chrono::seconds(30);

// Findings of pgvalet.advice that become alerts in one snapshot.
constexpr std::size_t kMostAdvice = 100;

void LookAtConnections(const View& view, Observations& found) {
  const stats::SummaryRow& summary = view.snapshot.extension->summary;
  const int threshold = view.settings.alert_server_connections_percent;
  const std::int64_t room = summary.max_connections - summary.reserved_connections;
  const double percent = Percent(summary.connections, room);
  const Level level = LevelOf(percent, threshold);
  if (level == Level::kClear) return;
  Alert alert = OfServer("server_connections");
  alert.severity = percent >= kCriticalPercent ? Severity::kCritical : Severity::kWarning;
  alert.message = fmt::format(
      "{} of the {} connections that ordinary roles may have are taken ({:.0f} %): {} by agents, "
      "{} directly",
      summary.connections, room, percent, summary.agent_connections,
      summary.connections - summary.agent_connections);
  alert.recommendation = fmt::format(
      "Let applications that connect directly use the agent; keep the sum of all pool sizes below "
      "{}, or raise max_connections (now {}).",
      room, summary.max_connections);
  alert.value = percent;
  alert.threshold = threshold;
  alert.unit = "percent";
  found.Add(level, std::move(alert));
}

void LookAtIdleInTransaction(const View& view, Observations& found) {
  const double threshold = SecondsOf(view.settings.alert_idle_in_transaction.count());
  if (threshold <= 0) return;
  const ExtensionSample& sample = *view.snapshot.extension;
  const BackendRow* longest = nullptr;
  std::int64_t count = 0;
  for (const BackendRow& row : sample.backends) {
    if (!row.state.starts_with("idle in transaction")) continue;
    const double age_s = SecondsOf((sample.sampled_at - row.state_since).count());
    if (LevelOf(age_s, threshold) == Level::kReached) ++count;
    if (longest == nullptr || row.state_since < longest->state_since) longest = &row;
  }
  if (longest == nullptr) return;
  const double age_s = SecondsOf((sample.sampled_at - longest->state_since).count());
  const Level level = LevelOf(age_s, threshold);
  if (level == Level::kClear) return;
  Alert alert = OfServer("idle_in_transaction");
  alert.message = fmt::format(
      "{} inside a transaction for {:.0f} s or more, the longest for {:.0f} s: backend {}, role "
      "{}, "
      "database {}, application \"{}\"",
      Quantity(count, "session waits", "sessions wait"), threshold, age_s, longest->pid,
      longest->role_name, longest->database_name, longest->application_name);
  alert.recommendation =
      "Mend the program that leaves its transaction open; set idle_transaction_timeout here for "
      "clients of the agent, or pgvalet.idle_in_transaction_timeout on the server for all.";
  alert.value = age_s;
  alert.threshold = threshold;
  alert.unit = "seconds";
  found.Add(level, std::move(alert));
}

void LookAtExtension(const View& view, Observations& found) {
  const ExtensionSample& sample = *view.snapshot.extension;
  const Duration interval = view.settings.sampler_interval;
  const bool is_expected = view.settings.alert_extension && interval > Duration::zero();
  if (!is_expected || sample.sampled_at == stats::WallTime{}) return;
  const Duration age = view.snapshot.time - sample.sampled_at;
  const bool is_stale = age > kStaleAfter && age > interval * kStaleIntervals;
  if (sample.available && !is_stale) return;
  Alert alert = OfServer("extension_unreadable");
  // Many servers have none, and the agent serves them all the same.
  alert.severity = view.extension_seen ? Severity::kWarning : Severity::kInfo;
  alert.kind = "extension";
  alert.component = "extension";
  alert.message = is_stale ? fmt::format("it was last read {:.0f} s ago", SecondsOf(age.count()))
                           : sample.reason;
  alert.recommendation =
      "CREATE EXTENSION pgvalet in the database that sampler_dbname names, and let sampler_user be "
      "a member of pg_read_all_stats; without the extension set sampler_interval = 0.";
  alert.unit = "";
  found.Add(Level::kReached, std::move(alert));
}

// The kinds of subjects that rules of pgvalet.advice have; others are "other".
std::string KindOf(std::string_view subject) {
  constexpr std::array kKinds = {"server",  "application", "backend", "client",
                                 "clients", "budget",      "role",    "database"};
  const std::string_view word = subject.substr(0, subject.find(' '));
  const auto* known = std::find(kKinds.begin(), kKinds.end(), word);
  return known == kKinds.end() ? "other" : *known;
}

Severity SeverityOf(std::string_view word) {
  if (word == "critical") return Severity::kCritical;
  return word == "warning" ? Severity::kWarning : Severity::kInfo;
}

void LookAtAdvice(const View& view, Observations& found) {
  const ExtensionSample& sample = *view.snapshot.extension;
  if (!view.settings.alert_advice || !sample.advice) return;
  std::size_t count = 0;
  for (const AdviceRow& row : *sample.advice) {
    if (row.rule == "connection_limit") continue;  // rule server_connections
    if (++count > kMostAdvice) return;
    Alert alert;
    alert.name = std::string(kAdvicePrefix) + row.rule;
    alert.severity = SeverityOf(row.severity);
    alert.kind = KindOf(row.subject);
    alert.component = row.subject;
    alert.message = row.finding;
    alert.recommendation = row.action;
    // The extension has looked at minutes already.
    found.Add(Level::kReached, std::move(alert), Duration::zero());
  }
}

}  // namespace

void LookAtServer(const View& view, Observations& found) {
  LookAtExtension(view, found);
  if (!view.snapshot.extension->available) return;
  LookAtConnections(view, found);
  LookAtIdleInTransaction(view, found);
  LookAtAdvice(view, found);
}

}  // namespace pgvalet::advice

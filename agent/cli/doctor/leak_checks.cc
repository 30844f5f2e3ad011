#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "cli/doctor/checks.h"
#include "cli/screen/format.h"

namespace pgvalet::cli::doctor {
namespace {

using namespace std::string_view_literals;

// Other steps speak of these.
constexpr std::array kOtherSteps = {
    "server_down"sv,    "pool_failed_connections"sv, "extension_unreadable"sv, "paused"sv,
    "pool_long_pins"sv, "idle_in_transaction"sv,     "clients_near_limit"sv,   "open_files"sv};

Verdict VerdictOf(v1::Severity severity) {
  switch (severity) {
    case v1::SEVERITY_CRITICAL:
      return Verdict::kProblem;
    case v1::SEVERITY_WARNING:
      return Verdict::kWarning;
    default:
      return Verdict::kOk;
  }
}

bool IsLeak(const v1::Alert& alert) { return alert.name() == "advice_leak"; }

// The thresholds of the agent's alerts; those of its defaults where it does not tell.
config::Settings Thresholds(const Facts& facts) {
  return facts.settings ? *facts.settings : config::Settings{};
}

void CheckTransactions(Findings& findings, const Facts& facts, Duration threshold) {
  const v1::Extension& extension = facts.snapshot.extension();
  const v1::Backend* oldest = nullptr;
  std::int64_t longest = 0;
  std::int64_t count = 0;
  for (const v1::Backend& backend : extension.backends()) {
    if (backend.state().rfind("idle in transaction", 0) != 0) continue;
    const std::int64_t waits = Between(backend.state_since(), extension.sampled_at());
    if (threshold.count() == 0 || waits < threshold.count()) continue;
    ++count;
    if (waits <= longest) continue;
    longest = waits;
    oldest = &backend;
  }
  if (oldest == nullptr) return;
  const std::string who =
      oldest->application_name().empty() ? "" : ", application " + oldest->application_name();
  Add(findings, "leaks", Verdict::kWarning,
      fmt::format("{} idle in transaction for {} or more; longest {}: backend {}, role {}, "
                  "database {}{}",
                  Quantity(count, "session"), Elapsed(threshold.count()), Elapsed(longest),
                  oldest->pid(), oldest->role_name(), oldest->database_name(), who),
      "it keeps its locks and holds up VACUUM: mend the program, and set idle_transaction_timeout "
      "here or pgvalet.idle_in_transaction_timeout on the server");
}

void CheckPins(Findings& findings, const v1::Snapshot& snapshot, Duration threshold) {
  const v1::Pin* oldest = nullptr;
  std::int64_t count = 0;
  for (const v1::Pin& pin : snapshot.pins()) {
    if (threshold.count() == 0 || pin.age_us() < threshold.count()) continue;
    ++count;
    if (oldest == nullptr || pin.age_us() > oldest->age_us()) oldest = &pin;
  }
  if (oldest == nullptr) return;
  std::string reasons;
  for (const v1::PinReason& reason : oldest->reasons())
    reasons += (reasons.empty() ? "" : ", ") + reason.reason();
  Add(findings, "leaks", Verdict::kWarning,
      fmt::format("{} hold{} a server connection between transactions for {} or more; longest {}: "
                  "{}/{} from {}, because of {}",
                  Quantity(count, "client"), count == 1 ? "s" : "", Elapsed(threshold.count()),
                  Elapsed(oldest->age_us()), oldest->database(), oldest->user(), oldest->client(),
                  reasons),
      "docs/pooling.md says what ties a session, and how to do without");
}

}  // namespace

Findings CheckLeaks(const Facts& facts) {
  Findings findings;
  const config::Settings thresholds = Thresholds(facts);
  CheckTransactions(findings, facts, thresholds.alert_idle_in_transaction);
  CheckPins(findings, facts.snapshot, thresholds.alert_pin_age);
  for (const v1::Alert& alert : facts.snapshot.alerts()) {
    if (IsLeak(alert))
      Add(findings, "leaks", VerdictOf(alert.severity()),
          alert.component() + ": " + alert.message(), alert.recommendation());
  }
  if (!findings.empty()) return findings;
  const bool known = facts.snapshot.extension().available();
  return {{"leaks", Verdict::kOk,
           known ? "no session is forgotten inside a transaction, no client holds on for long"
                 : "no client holds on for long; of sessions that came past the agent nothing is "
                   "known without the extension"}};
}

Findings CheckAlerts(const Facts& facts) {
  Findings findings;
  for (const v1::Alert& alert : facts.snapshot.alerts()) {
    const bool elsewhere =
        std::find(kOtherSteps.begin(), kOtherSteps.end(), alert.name()) != kOtherSteps.end();
    if (elsewhere || IsLeak(alert)) continue;
    Add(findings, "alerts", VerdictOf(alert.severity()),
        fmt::format("{}, {}: {}", alert.name(), alert.component(), alert.message()),
        alert.recommendation());
  }
  if (findings.empty()) Add(findings, "alerts", Verdict::kOk, "no other alert is in force");
  return findings;
}

}  // namespace pgvalet::cli::doctor

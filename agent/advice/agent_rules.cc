// Rules about the agent itself: its limits, logins, cores, and what somebody switched off.
#include <fmt/format.h>

#include "advice/observation.h"
#include "advice/recent_counts.h"

namespace pgvalet::advice {
namespace {

using stats::Alert;
using stats::Severity;

constexpr double kCriticalPercent = 95;

Severity SeverityOf(double percent) {
  return percent >= kCriticalPercent ? Severity::kCritical : Severity::kWarning;
}

void LookAtClients(const View& view, Observations& found) {
  const stats::AgentHealth& agent = view.snapshot.agent;
  const int threshold = view.settings.alert_clients_percent;
  const double percent = Percent(agent.clients, agent.status.max_clients);
  const Level level = LevelOf(percent, threshold);
  if (level == Level::kClear) return;
  Alert alert = OfAgent("clients_near_limit");
  alert.severity = SeverityOf(percent);
  alert.message = fmt::format("{} of max_client_conn = {} clients are connected ({:.0f} %)",
                              agent.clients, agent.status.max_clients, percent);
  alert.recommendation =
      "Raise max_client_conn (an idle client costs a few kilobytes and a file descriptor), or set "
      "client_idle_timeout so that clients that are not used leave.";
  alert.value = percent;
  alert.threshold = threshold;
  alert.unit = "percent";
  found.Add(level, std::move(alert));
}

void LookAtRefused(const View& view, Observations& found) {
  const stats::AgentHealth& agent = view.snapshot.agent;
  // A draining agent refuses on purpose.
  if (agent.status.state == stats::AgentState::kDraining) return;
  const int threshold = view.settings.alert_refused_clients;
  const std::uint64_t count = view.recent.Refused(agent);
  const Level level = LevelOf(static_cast<double>(count), threshold);
  if (level == Level::kClear) return;
  Alert alert = OfAgent("clients_refused");
  alert.severity = Severity::kCritical;
  alert.message =
      fmt::format("{} refused in the last minute: {} of max_client_conn = {} are connected",
                  Quantity(static_cast<std::int64_t>(count), "client connection was",
                           "client connections were"),
                  agent.clients, agent.status.max_clients);
  alert.recommendation =
      "Raise max_client_conn, or look which application opens so many connections (SHOW CLIENTS).";
  alert.value = static_cast<double>(count);
  alert.threshold = threshold;
  alert.unit = "clients";
  found.Add(level, std::move(alert), Duration::zero());
}

void LookAtLogins(const View& view, Observations& found) {
  const int threshold = view.settings.alert_login_failures;
  const std::uint64_t count = view.recent.LoginFailures(view.snapshot.agent);
  const Level level = LevelOf(static_cast<double>(count), threshold);
  if (level == Level::kClear) return;
  Alert alert = OfAgent("login_failures");
  alert.message = fmt::format(
      "{} failed in the last minute, {} since the agent began",
      Quantity(static_cast<std::int64_t>(count), "login of a client", "logins of clients"),
      view.snapshot.agent.login_failures);
  alert.recommendation =
      "The log names user and address of each: a program with an old password, a database that is "
      "not there, or somebody who guesses.";
  alert.value = static_cast<double>(count);
  alert.threshold = threshold;
  alert.unit = "logins";
  found.Add(level, std::move(alert), Duration::zero());
}

void LookAtFiles(const View& view, Observations& found) {
  const stats::ProcessUsage& process = view.snapshot.agent.process;
  const int threshold = view.settings.alert_open_files_percent;
  const double percent = Percent(process.open_fds, process.max_fds);
  const Level level = LevelOf(percent, threshold);
  if (level == Level::kClear) return;
  Alert alert = OfAgent("open_files");
  alert.severity = SeverityOf(percent);
  alert.message = fmt::format("{} of {} file descriptors are open ({:.0f} %)", process.open_fds,
                              process.max_fds, percent);
  alert.recommendation =
      "Raise the limit (LimitNOFILE of the systemd unit, or ulimit -Hn) and restart the agent; "
      "every client and every server connection needs one.";
  alert.value = percent;
  alert.threshold = threshold;
  alert.unit = "percent";
  found.Add(level, std::move(alert));
}

void LookAtCores(const View& view, Observations& found) {
  const int threshold = view.settings.alert_core_busy_percent;
  for (const stats::CoreSnapshot& core : view.snapshot.agent.cores) {
    const double percent = 100 * core.busy_share;
    const Level level = LevelOf(percent, threshold);
    if (level == Level::kClear) continue;
    Alert alert = OfAgent("core_busy");
    alert.kind = "core";
    alert.component = fmt::format("core {}", core.core);
    alert.message = fmt::format("busy {:.0f} % of its time, with {}", percent,
                                Quantity(core.clients, "client", "clients"));
    alert.recommendation =
        "Queries wait for the agent itself: let it use more cores (setting cores), give it a "
        "machine with more, or run a second agent.";
    alert.value = percent;
    alert.threshold = threshold;
    alert.unit = "percent";
    found.Add(level, std::move(alert));
  }
}

void LookAtListening(const View& view, Observations& found) {
  const stats::AgentHealth& agent = view.snapshot.agent;
  const int threshold = view.settings.alert_listening_losses;
  const std::uint64_t count = view.recent.ListeningLosses(agent);
  const Level level = LevelOf(static_cast<double>(count), threshold);
  if (level == Level::kClear) return;
  const std::uint64_t ended = view.recent.ListeningClientsLost(agent);
  Alert alert = OfAgent("listening_lost");
  alert.severity = ended > 0 ? Severity::kCritical : Severity::kWarning;
  alert.message = fmt::format(
      "connections that listen for clients were lost or could not be opened {} in the last minute; "
      "{} ended because they may have missed notifications; {} to {}",
      Quantity(static_cast<std::int64_t>(count), "time", "times"),
      Quantity(static_cast<std::int64_t>(ended), "client was", "clients were"),
      Quantity(agent.status.channels.clients, "client listens", "clients listen"),
      Quantity(agent.status.channels.channels, "channel", "channels"));
  alert.recommendation =
      "Look whether the server was restarted or ends idle connections; clients that LISTEN must "
      "connect again and read what they may have missed.";
  alert.value = static_cast<double>(count);
  alert.threshold = threshold;
  alert.unit = "losses";
  found.Add(level, std::move(alert), Duration::zero());
}

void LookAtSwitches(const View& view, Observations& found) {
  const Duration after = view.settings.alert_paused_after;
  if (after == Duration::zero()) return;
  for (const stats::SwitchedDatabase& switched : view.snapshot.agent.status.switched) {
    const bool is_all = switched.database.empty();
    Alert alert = is_all ? OfAgent("paused") : OfDatabase("paused", switched.database);
    alert.message =
        fmt::format("{} {}", is_all ? "all databases are" : "is",
                    switched.paused ? "paused: clients wait" : "disabled: new clients are refused");
    alert.recommendation =
        switched.paused
            ? "If nobody works on it any more, let clients go on: RESUME on the console, "
              "or pgvalet.v1.Control/Resume."
            : "If this is no longer wanted, let clients in: ENABLE on the console, or "
              "pgvalet.v1.Control/Enable.";
    found.Add(Level::kReached, std::move(alert), after);
  }
}

}  // namespace

void LookAtAgent(const View& view, Observations& found) {
  LookAtClients(view, found);
  LookAtRefused(view, found);
  LookAtLogins(view, found);
  LookAtFiles(view, found);
  LookAtCores(view, found);
  LookAtListening(view, found);
  LookAtSwitches(view, found);
}

}  // namespace pgvalet::advice

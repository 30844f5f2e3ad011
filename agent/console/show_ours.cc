// SHOW PINS, SESSIONS, EVENTS and ALERTS: what PgBouncer has no words for.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "console/show.h"
#include "stats/event_log.h"

namespace pgvalet::console {
namespace {

using wire::ColumnType;

// "2026-11-21 16:00:00.123456+00", as PostgreSQL writes a timestamptz.
std::string Moment(stats::WallTime at) {
  if (at == stats::WallTime{}) return {};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:06}+00",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (at - seconds).count());
}

std::string ReasonsOf(const stats::PinnedClient& client) {
  std::string reasons;
  for (const stats::PinReasonCount& reason : client.reasons) {
    reasons += (reasons.empty() ? "" : ", ") + reason.reason;
    if (reason.objects > 1) reasons += " (" + std::to_string(reason.objects) + ")";
  }
  return reasons;
}

// How long a client has been in its state.
Duration StateAge(const control::ClientInfo& client, Time now) {
  if (client.is_pinned) return Since(client.pinned_since, now);
  if (client.state == control::ClientState::kWaiting) return client.waited;
  const Time since =
      client.state == control::ClientState::kLogin ? client.connected_at : client.request_at;
  return since == Time{} ? Duration{0} : Since(since, now);
}

// By the pid of the backend, which one client has at a time.
std::map<std::uint32_t, std::string> ReasonsByPid(const stats::Snapshot& snapshot) {
  std::map<std::uint32_t, std::string> reasons;
  for (const stats::PinSnapshot& pin : snapshot.pins) {
    reasons[static_cast<std::uint32_t>(pin.client.server_pid)] = ReasonsOf(pin.client);
  }
  return reasons;
}

}  // namespace

Result<Table> ShowPins(const Scene& scene) {
  Table table;
  table.columns = {{"database", ColumnType::kText},   {"user", ColumnType::kText},
                   {"client", ColumnType::kText},     {"application_name", ColumnType::kText},
                   {"server_pid", ColumnType::kInt4}, {"reasons", ColumnType::kText},
                   {"age_us", ColumnType::kInt8}};
  const stats::SnapshotPtr snapshot = scene.door.Snapshot();
  if (!snapshot) return table;
  for (const stats::PinSnapshot& pin : snapshot->pins) {
    table.rows.push_back({pin.client.database, pin.client.user, pin.client.client,
                          pin.client.application_name, Number(pin.client.server_pid),
                          ReasonsOf(pin.client), Number(pin.age_us)});
  }
  return table;
}

Result<Table> ShowSessions(const Scene& scene) {
  Result<std::vector<control::ClientInfo>> clients = scene.door.ListClients();
  if (!clients) return clients.error();
  const stats::SnapshotPtr snapshot = scene.door.Snapshot();
  std::map<std::uint32_t, std::string> reasons;
  if (snapshot) reasons = ReasonsByPid(*snapshot);
  Table table;
  table.columns = {{"id", ColumnType::kInt8},           {"database", ColumnType::kText},
                   {"user", ColumnType::kText},         {"application_name", ColumnType::kText},
                   {"client", ColumnType::kText},       {"state", ColumnType::kText},
                   {"state_age_us", ColumnType::kInt8}, {"age_us", ColumnType::kInt8},
                   {"server_pid", ColumnType::kInt4},   {"prepared_statements", ColumnType::kInt8},
                   {"pin_reasons", ColumnType::kText}};
  const Time now = Clock::now();
  for (const control::ClientInfo& client : *clients) {
    const bool is_pinned = client.is_pinned && reasons.contains(client.server_pid);
    table.rows.push_back(
        {Number(client.id), client.database, client.user, client.application_name, client.peer.addr,
         client.is_pinned ? "pinned" : ClientStateName(client.state),
         Number(StateAge(client, now).count()), Number(Since(client.connected_at, now).count()),
         Number(client.server_pid), Number(client.prepared_statements),
         is_pinned ? reasons[client.server_pid] : std::string()});
  }
  return table;
}

Result<Table> ShowEvents(const Scene& scene) {
  Table table;
  table.columns = {
      {"sequence", ColumnType::kInt8},         {"at", ColumnType::kText},
      {"source", ColumnType::kText},           {"kind", ColumnType::kText},
      {"database", ColumnType::kText},         {"user", ColumnType::kText},
      {"application_name", ColumnType::kText}, {"client", ColumnType::kText},
      {"server_pid", ColumnType::kInt4},       {"rule", ColumnType::kText},
      {"is_dry_run", ColumnType::kInt4},       {"message", ColumnType::kText},
      {"left_out_count", ColumnType::kInt8},   {"lost_before_count", ColumnType::kInt8}};
  for (const stats::Event& event :
       scene.events.Since(0, stats::EventLog::kDefaultCapacity).events) {
    table.rows.push_back({Number(event.sequence), Moment(event.at),
                          event.source == stats::EventSource::kAgent ? "agent" : "extension",
                          event.kind, event.database, event.user, event.application_name,
                          event.client, Number(event.server_pid), event.rule,
                          Flag(event.is_dry_run), event.message, Number(event.left_out),
                          Number(event.lost_before)});
  }
  return table;
}

Result<Table> ShowAlerts(const Scene& scene) {
  Table table;
  table.columns = {{"name", ColumnType::kText},      {"severity", ColumnType::kText},
                   {"component", ColumnType::kText}, {"database", ColumnType::kText},
                   {"user", ColumnType::kText},      {"since", ColumnType::kText},
                   {"message", ColumnType::kText},   {"recommendation", ColumnType::kText}};
  const stats::SnapshotPtr snapshot = scene.door.Snapshot();
  if (!snapshot) return table;
  for (const stats::Alert& alert : snapshot->alerts) {
    table.rows.push_back({alert.name, SeverityName(alert.severity), alert.component, alert.database,
                          alert.user, Moment(alert.since), alert.message, alert.recommendation});
  }
  return table;
}

}  // namespace pgvalet::console

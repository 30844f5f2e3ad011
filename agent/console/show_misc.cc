// SHOW, and what is not much of a table.
#include <algorithm>
#include <iterator>

#include "console/show.h"

namespace pgvalet::console {
namespace {

using wire::ColumnType;

struct Shown {
  std::string_view name;
  Result<Table> (*make)(const Scene& scene);
  bool admin_only = false;
};

constexpr Shown kShown[] = {
    {"ACTIVE_SOCKETS", &ShowActiveSockets},
    {"ALERTS", &ShowAlerts},
    {"CLIENTS", &ShowClients},
    {"CONFIG", &ShowConfig},
    {"DATABASES", &ShowDatabases},
    {"DNS_HOSTS", &ShowDnsHosts},
    {"DNS_ZONES", &ShowDnsZones},
    {"EVENTS", &ShowEvents},
    {"FDS", &ShowFds, true},
    {"LISTS", &ShowLists},
    {"MEM", &ShowMem},
    {"PEERS", &ShowPeers},
    {"PEER_POOLS", &ShowPeerPools},
    {"PINS", &ShowPins},
    {"POOLS", &ShowPools},
    {"SERVERS", &ShowServers},
    {"SESSIONS", &ShowSessions},
    {"SOCKETS", &ShowSockets},
    {"STATE", &ShowState},
    {"STATS", &ShowStats},
    {"STATS_AVERAGES", &ShowStatsAverages},
    {"STATS_TOTALS", &ShowStatsTotals},
    {"TOTALS", &ShowTotals},
    {"USERS", &ShowUsers},
    {"VERSION", &ShowVersion},
};

}  // namespace

Result<Answer> Show(const std::string& what, const Scene& scene) {
  Answer answer;
  if (what == "HELP") {
    answer.notice = HelpText();
    return answer;
  }
  const auto* shown = std::find_if(std::begin(kShown), std::end(kShown),
                                   [&](const Shown& one) { return one.name == what; });
  if (shown == std::end(kShown)) {
    return Error{ErrorCode::kNotFound, "there is nothing of this name to show, use SHOW HELP", 0,
                 what, "42601"};
  }
  if (shown->admin_only && !scene.caller.is_admin) {
    return Error{ErrorCode::kAuth, "admin access needed", 0, {}, "42501"};
  }
  Result<Table> table = shown->make(scene);
  if (!table) return table.error();
  answer.table = std::move(*table);
  return answer;
}

Result<Table> ShowVersion(const Scene& scene) {
  const config::SettingsPtr settings = scene.door.Settings().settings;
  const stats::SnapshotPtr snapshot = scene.door.Snapshot();
  Table table;
  table.columns = {{"version", ColumnType::kText}};
  // Tools look for the first number.
  std::string version = "PgBouncer " + settings->pgbouncer_version;
  if (snapshot) version += " (pgvalet " + snapshot->agent.status.version + ")";
  table.rows = {{version}};
  return table;
}

Result<Table> ShowState(const Scene& scene) {
  const bool paused = scene.door.IsPaused();
  const bool suspended = scene.door.IsSuspended();
  Table table;
  table.columns = {{"key", ColumnType::kText}, {"value", ColumnType::kText}};
  table.rows = {{"active", paused || suspended ? "no" : "yes"},
                {"paused", paused ? "yes" : "no"},
                {"suspended", suspended ? "yes" : "no"}};
  return table;
}

// Our memory is in few pieces: buffers on their way, and the rest of the process.
Result<Table> ShowMem(const Scene& scene) {
  Table table;
  table.columns = {{"name", ColumnType::kText},
                   {"size", ColumnType::kInt4},
                   {"used", ColumnType::kInt4},
                   {"free", ColumnType::kInt4},
                   {"memtotal", ColumnType::kInt4}};
  const stats::SnapshotPtr snapshot = scene.door.Snapshot();
  if (!snapshot) return table;
  const stats::AgentHealth& agent = snapshot->agent;
  const std::int64_t size =
      agent.buffers_in_use > 0 ? agent.buffer_bytes / agent.buffers_in_use : 0;
  table.rows = {{"iobuf_cache", Number(size), Number(agent.buffers_in_use), Number(0),
                 Number(agent.buffer_bytes)},
                {"process", Number(agent.process.resident_bytes), Number(1), Number(0),
                 Number(agent.process.resident_bytes)}};
  return table;
}

// Sockets are not handed over to a new process, which is what PgBouncer's own asks for.
Result<Table> ShowFds(const Scene& /*scene*/) {
  Table table;
  table.columns = {{"fd", ColumnType::kInt4},
                   {"task", ColumnType::kText},
                   {"user", ColumnType::kText},
                   {"database", ColumnType::kText},
                   {"addr", ColumnType::kText},
                   {"port", ColumnType::kInt4},
                   {"cancel", ColumnType::kInt8},
                   {"link", ColumnType::kInt4},
                   {"client_encoding", ColumnType::kText},
                   {"std_strings", ColumnType::kText},
                   {"datestyle", ColumnType::kText},
                   {"timezone", ColumnType::kText},
                   {"password", ColumnType::kText},
                   {"scram_client_key", ColumnType::kBytea},
                   {"scram_server_key", ColumnType::kBytea}};
  return table;
}

Result<Table> ShowPeers(const Scene& /*scene*/) {
  Table table;
  table.columns = {{"peer_id", ColumnType::kInt4},
                   {"host", ColumnType::kText},
                   {"port", ColumnType::kInt4},
                   {"pool_size", ColumnType::kInt4}};
  return table;
}

Result<Table> ShowPeerPools(const Scene& /*scene*/) {
  Table table;
  for (const std::string_view name : {"peer_id", "cl_active_cancel_req", "cl_waiting_cancel_req",
                                      "sv_active_cancel", "sv_login"}) {
    table.columns.push_back({name, ColumnType::kInt4});
  }
  return table;
}

// Names are resolved by the system, which caches them.
Result<Table> ShowDnsHosts(const Scene& /*scene*/) {
  Table table;
  table.columns = {
      {"hostname", ColumnType::kText}, {"ttl", ColumnType::kInt8}, {"addrs", ColumnType::kText}};
  return table;
}

Result<Table> ShowDnsZones(const Scene& /*scene*/) {
  Table table;
  table.columns = {
      {"zonename", ColumnType::kText}, {"serial", ColumnType::kInt8}, {"count", ColumnType::kInt4}};
  return table;
}

}  // namespace pgvalet::console

// SHOW CLIENTS, SERVERS, SOCKETS and ACTIVE_SOCKETS.
#include <array>
#include <cinttypes>
#include <cstdio>
#include <ctime>

#include "console/show.h"

namespace pgvalet::console {
namespace {

using wire::ColumnType;

constexpr wire::Column kConnectionColumns[] = {
    {"type", ColumnType::kText},
    {"user", ColumnType::kText},
    {"database", ColumnType::kText},
    {"replication", ColumnType::kText},
    {"state", ColumnType::kText},
    {"addr", ColumnType::kText},
    {"port", ColumnType::kInt4},
    {"local_addr", ColumnType::kText},
    {"local_port", ColumnType::kInt4},
    {"connect_time", ColumnType::kText},
    {"request_time", ColumnType::kText},
    {"wait", ColumnType::kInt4},
    {"wait_us", ColumnType::kInt4},
    {"close_needed", ColumnType::kInt4},
    {"ptr", ColumnType::kText},
    {"link", ColumnType::kText},
    {"remote_pid", ColumnType::kInt4},
    {"tls", ColumnType::kText},
    {"application_name", ColumnType::kText},
    {"prepared_statements", ColumnType::kInt4},
    {"id", ColumnType::kInt4},
};

constexpr std::string_view kBufferColumns[] = {"recv_pos",    "pkt_pos",   "pkt_remain", "send_pos",
                                               "send_remain", "pkt_avail", "send_avail"};

const char* StateName(control::ServerState state) {
  switch (state) {
    case control::ServerState::kNew:
      return "new";
    case control::ServerState::kIdle:
      return "idle";
    case control::ServerState::kUsed:
      return "used";
    case control::ServerState::kActive:
      return "active";
    case control::ServerState::kTested:
      return "tested";
    case control::ServerState::kCanceled:
      return "being_canceled";
  }
  return "idle";
}

// "2026-11-21 16:00:00 UTC"; empty for a moment that never was.
std::string Moment(Time at) {
  if (at == Time{}) return {};
  const auto ago =
      std::chrono::duration_cast<std::chrono::system_clock::duration>(Clock::now() - at);
  const std::time_t wall =
      std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - ago);
  std::tm parts{};
  gmtime_r(&wall, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

std::string Pointer(std::uint64_t address) {
  if (address == 0) return {};
  char text[32];
  std::snprintf(text, sizeof text, "0x%" PRIx64, address);
  return text;
}

std::vector<wire::Field> Row(const control::ConnectionInfo& info, const char* type,
                             std::string state, Duration waited) {
  const std::int64_t wait_us = waited.count();
  return {type, info.user.empty() ? "(nouser)" : info.user,
          info.database.empty() ? "(nodb)" : info.database, "none", std::move(state),
          info.peer.addr, Number(info.peer.port), info.local.addr, Number(info.local.port),
          Moment(info.connected_at), Moment(info.request_at), Number(wait_us / 1'000'000),
          Number(wait_us % 1'000'000), Flag(info.close_needed), Pointer(info.address),
          Pointer(info.linked_to),
          // PgBouncer's: of a client the process at the other end of a Unix socket.
          Number(type[0] == 'S' ? info.server_pid : 0), "", info.application_name,
          Number(info.prepared_statements), Number(info.id)};
}

std::vector<wire::Field> Row(const control::ClientInfo& client, const std::string& prefix = {}) {
  return Row(client, "C", prefix + ClientStateName(client.state), client.waited);
}

std::vector<wire::Field> Row(const control::ServerInfo& server, const std::string& prefix = {}) {
  const bool is_login = !prefix.empty() && server.state == control::ServerState::kNew;
  return Row(server, "S", prefix + (is_login ? "login" : StateName(server.state)), Duration{0});
}

Table NewTable() {
  Table table;
  table.columns.assign(std::begin(kConnectionColumns), std::end(kConnectionColumns));
  return table;
}

// What of a message has come and gone: we keep only what a slow peer did not take.
void AppendBuffers(std::vector<wire::Field>& row, const control::ConnectionInfo& info) {
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{0}, std::int64_t{0}, std::int64_t{0}, info.unsent_bytes,
        std::int64_t{0}, info.unsent_bytes}) {
    row.push_back(Number(value));
  }
}

Result<Table> Sockets(const Scene& scene, bool active_only) {
  Result<std::vector<control::ClientInfo>> clients = scene.door.ListClients();
  if (!clients) return clients.error();
  Result<std::vector<control::ServerInfo>> servers = scene.door.ListServers();
  if (!servers) return servers.error();
  Table table = NewTable();
  for (const std::string_view name : kBufferColumns) {
    table.columns.push_back({name, ColumnType::kInt4});
  }
  for (const control::ClientInfo& client : *clients) {
    if (active_only && client.state != control::ClientState::kActive) continue;
    table.rows.push_back(Row(client, "cl_"));
    AppendBuffers(table.rows.back(), client);
  }
  for (const control::ServerInfo& server : *servers) {
    if (active_only && server.state != control::ServerState::kActive) continue;
    table.rows.push_back(Row(server, "sv_"));
    AppendBuffers(table.rows.back(), server);
  }
  return table;
}

}  // namespace

const char* ClientStateName(control::ClientState state) {
  switch (state) {
    case control::ClientState::kLogin:
      return "login";
    case control::ClientState::kIdle:
      return "idle";
    case control::ClientState::kWaiting:
      return "waiting";
    case control::ClientState::kActive:
      return "active";
  }
  return "active";
}

Result<Table> ShowClients(const Scene& scene) {
  Result<std::vector<control::ClientInfo>> clients = scene.door.ListClients();
  if (!clients) return clients.error();
  Table table = NewTable();
  for (const control::ClientInfo& client : *clients) {
    if (client.state != control::ClientState::kLogin) table.rows.push_back(Row(client));
  }
  return table;
}

Result<Table> ShowServers(const Scene& scene) {
  Result<std::vector<control::ServerInfo>> servers = scene.door.ListServers();
  if (!servers) return servers.error();
  Table table = NewTable();
  for (const control::ServerInfo& server : *servers) table.rows.push_back(Row(server));
  return table;
}

Result<Table> ShowSockets(const Scene& scene) { return Sockets(scene, false); }
Result<Table> ShowActiveSockets(const Scene& scene) { return Sockets(scene, true); }

}  // namespace pgvalet::console

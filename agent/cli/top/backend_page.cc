#include <string>

#include "cli/screen/format.h"
#include "cli/screen/text.h"
#include "cli/top/top_views.h"
#include "cli/views/client_tables.h"
#include "cli/views/list_tables.h"

namespace pgvalet::cli {
namespace {

// "state        idle in transaction, for 1.9s".
void Put(Lines& lines, const std::string& name, const std::string& text,
         Style style = Style::kPlain) {
  lines.push_back(Line(Pad(name, 16), Style::kDim).Add(Printable(text), style));
}

void PutWork(Lines& lines, const v1::SessionCosts& costs) {
  Put(lines, "transactions",
      Count(costs.xact_commit_count()) + " committed, " + Count(costs.xact_rollback_count()) +
          " rolled back");
  Put(lines, "statements",
      Count(costs.statement_count()) + ", " + Count(costs.row_count()) + " rows, " +
          Count(costs.error_count()) + " errors");
  Put(lines, "time",
      Elapsed(costs.active_us()) + " active, " + Elapsed(costs.idle_us()) + " idle, " +
          Elapsed(costs.idle_in_transaction_us()) + " idle in transaction");
  Put(lines, "blocks",
      Count(costs.block_hit_count()) + " hit, " + Count(costs.block_read_count()) + " read, " +
          Count(costs.block_written_count()) + " written");
  Put(lines, "bytes",
      Size(static_cast<double>(costs.sent_bytes())) + " sent, " +
          Size(static_cast<double>(costs.temp_bytes())) + " temp, " +
          Size(static_cast<double>(costs.wal_bytes())) + " WAL");
}

void PutBackend(Lines& lines, const v1::Backend& backend, const google::protobuf::Timestamp& now) {
  const bool is_waste = backend.state().starts_with("idle in transaction");
  Put(lines, "session", backend.role_name() + " in " + backend.database_name());
  Put(lines, "application", backend.application_name());
  Put(lines, "state", backend.state() + ", for " + Elapsed(Between(backend.state_since(), now)),
      is_waste ? Style::kWarning : Style::kPlain);
  Put(lines, "connected",
      Elapsed(Between(backend.connected_at(), now)) + " ago, login took " +
          Elapsed(backend.login_us()));
  const std::string from =
      backend.client_addr().empty()
          ? "local"
          : backend.client_addr() + " port " + std::to_string(backend.client_port());
  Put(lines, "from", from + (backend.agent_name().empty() ? "" : ", by " + backend.agent_name()));
  PutWork(lines, backend.costs());
}

void PutConnections(Lines& lines, const Connections& connections, std::int64_t server_pid,
                    const google::protobuf::Timestamp& now) {
  for (const v1::Server& server : connections.servers.servers()) {
    if (server.connection().server_pid() != server_pid) continue;
    Put(lines, "pool", server.connection().database() + "/" + server.connection().user());
  }
  for (const v1::Client& client : connections.clients.clients()) {
    const v1::Connection& connection = client.connection();
    if (connection.server_pid() != server_pid) continue;
    Put(lines, "client",
        std::to_string(connection.id()) + ", " + ClientStateText(client) + ", " +
            connection.application_name() + " from " + EndpointText(connection.peer()) +
            ", last request " + Elapsed(Between(connection.request_at(), now)) + " ago");
  }
}

}  // namespace

Lines BackendPage(const TopData& data, std::int64_t server_pid) {
  Lines lines;
  const v1::Snapshot& snapshot = *data.now;
  for (const v1::Backend& backend : snapshot.extension().backends()) {
    if (backend.pid() == server_pid) PutBackend(lines, backend, snapshot.time());
  }
  if (lines.empty()) {
    lines.emplace_back(snapshot.extension().available()
                           ? "the server has no such backend any more"
                           : "what it does is known only with the extension; see above",
                       Style::kDim);
  }
  if (data.connections) PutConnections(lines, *data.connections, server_pid, snapshot.time());
  for (const v1::Pin& pin : snapshot.pins()) {
    if (pin.server_pid() != server_pid) continue;
    Put(lines, "pinned", "for " + Elapsed(pin.age_us()) + " by " + ReasonsText(pin),
        Style::kWarning);
  }
  return lines;
}

}  // namespace pgvalet::cli

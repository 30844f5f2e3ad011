#include "cli/top/top_views.h"

#include <algorithm>
#include <set>

#include "cli/screen/text.h"
#include "cli/views/client_tables.h"
#include "cli/views/list_tables.h"
#include "cli/views/pools_table.h"

namespace pgvalet::cli {
namespace {

std::string ChosenText(const Chosen& chosen) {
  const std::string name = chosen.name.empty() ? "(none)" : Printable(chosen.name);
  switch (chosen.kind) {
    case Chosen::Kind::kAll:
      return "";
    case Chosen::Kind::kPool:
      return " of pool " + Printable(chosen.database) + "/" + name;
    case Chosen::Kind::kRole:
      return " of role " + name;
    case Chosen::Kind::kDatabase:
      return " of database " + name;
    case Chosen::Kind::kApplication:
      return " of application " + name;
  }
  return "";
}

// A pool's name for a database need not be the server's: only the agent knows its backends.
std::set<std::int64_t> PoolPids(const ConnectionsPtr& connections, const Chosen& chosen) {
  std::set<std::int64_t> pids;
  if (!connections) return pids;
  for (const v1::Server& server : connections->servers.servers()) {
    const v1::Connection& connection = server.connection();
    if (connection.database() == chosen.database && connection.user() == chosen.name)
      pids.insert(connection.server_pid());
  }
  return pids;
}

void KeepBackends(SortedTable& table, const TopData& data, const Chosen& chosen) {
  if (chosen.kind == Chosen::Kind::kPool) {
    const std::set<std::int64_t> pids = PoolPids(data.connections, chosen);
    return table.Keep([&](const RowSubject& row) { return pids.contains(row.server_pid); });
  }
  table.Keep([&](const RowSubject& row) {
    switch (chosen.kind) {
      case Chosen::Kind::kRole:
        return row.user == chosen.name;
      case Chosen::Kind::kDatabase:
        return row.database == chosen.name;
      case Chosen::Kind::kApplication:
        return row.application_name == chosen.name;
      default:
        return true;
    }
  });
}

void KeepPool(SortedTable& table, const Chosen& chosen) {
  if (chosen.kind != Chosen::Kind::kPool) return;
  table.Keep([&](const RowSubject& row) {
    return row.database == chosen.database && row.user == chosen.name;
  });
}

SortedTable UnsortedTable(const TopData& data, const TopState& state) {
  switch (state.view) {
    case View::kClients: {
      SortedTable table =
          ClientsTable(data.connections ? data.connections->clients : v1::ListClientsResponse(),
                       data.now->time());
      KeepPool(table, state.chosen);
      return table;
    }
    case View::kBackends: {
      SortedTable table = BackendsTable(*data.now, data.before.get());
      KeepBackends(table, data, state.chosen);
      return table;
    }
    case View::kUsage:
      return UsageTable(*data.now, data.before.get(), state.usage_by);
    case View::kPins: {
      SortedTable table = PinsTable(*data.now);
      KeepPool(table, state.chosen);
      return table;
    }
    case View::kPools:
    case View::kBackend:
      break;
  }
  return PoolsTable(*data.now);
}

}  // namespace

std::string ViewName(const TopState& state) {
  switch (state.view) {
    case View::kPools:
      return "pools";
    case View::kClients:
      return "clients" + ChosenText(state.chosen);
    case View::kBackends:
      return "backends" + ChosenText(state.chosen);
    case View::kPins:
      return "pins" + ChosenText(state.chosen);
    case View::kBackend:
      return "backend " + std::to_string(state.server_pid);
    case View::kUsage:
      break;
  }
  return std::string("usage by ") + UsageByName(state.usage_by);
}

SortedTable TableOf(const TopData& data, const TopState& state) {
  SortedTable table = UnsortedTable(data, state);
  const std::size_t view = state.view_index();
  table.Sort(std::min(state.sort[view], table.keys().size() - 1), state.reversed[view]);
  return table;
}

std::string EmptyText(const TopData& data, const TopState& state) {
  switch (state.view) {
    case View::kPools:
      return "no pools: no client has logged in yet";
    case View::kPins:
      return "no pins: every client gives its server connection back between transactions";
    case View::kClients:
      if (!data.connections) return "asking ...";
      return data.connections->problem.empty() ? "no clients"
                                               : Printable(data.connections->problem);
    default:
      break;
  }
  const v1::Extension& extension = data.now->extension();
  return extension.available() ? "nothing yet" : "only with the extension; see above";
}

}  // namespace pgvalet::cli

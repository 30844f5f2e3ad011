#include "cli/views/leaks.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "cli/screen/format.h"
#include "cli/views/client_tables.h"
#include "cli/views/list_tables.h"

namespace pgvalet::cli {
namespace {

using ClientsByPid = std::map<std::int64_t, const v1::Client*>;

ClientsByPid ByPid(const v1::ListClientsResponse& clients) {
  ClientsByPid by_pid;
  for (const v1::Client& client : clients.clients()) {
    const std::uint32_t pid = client.connection().server_pid();
    if (pid != 0) by_pid[pid] = &client;
  }
  return by_pid;
}

// The client behind a backend is who holds it; without one it is the backend's own.
void PutClient(const ClientsByPid& by_pid, Leak& leak) {
  const auto found = by_pid.find(leak.server_pid);
  if (found == by_pid.end()) return;
  const v1::Connection& connection = found->second->connection();
  leak.client_id = connection.id();
  leak.client = EndpointText(connection.peer());
  leak.database = connection.database();
  leak.user = connection.user();
  leak.application_name = connection.application_name();
}

Leak OfBackend(const v1::Backend& backend, std::int64_t age_us) {
  Leak leak{.kind = "open_transaction",
            .database = backend.database_name(),
            .user = backend.role_name(),
            .application_name = backend.application_name(),
            .client = backend.client_addr().empty() ? "unix" : backend.client_addr(),
            .server_pid = backend.pid(),
            .age_us = age_us,
            .state = backend.state()};
  return leak;
}

Leak OfPin(const v1::Pin& pin) {
  return {.kind = "long_pin",
          .database = pin.database(),
          .user = pin.user(),
          .application_name = pin.application_name(),
          .client = pin.client(),
          .server_pid = pin.server_pid(),
          .age_us = pin.age_us(),
          .state = "pinned by " + ReasonsText(pin)};
}

std::set<std::int64_t> IdleBackends(const v1::Snapshot& snapshot) {
  std::set<std::int64_t> idle;
  for (const v1::Backend& backend : snapshot.extension().backends()) {
    if (backend.state() == "idle") idle.insert(backend.pid());
  }
  return idle;
}

}  // namespace

std::vector<Leak> LeaksOf(const v1::Snapshot& snapshot, const v1::ListClientsResponse& clients,
                          std::int64_t min_age_us) {
  const ClientsByPid by_pid = ByPid(clients);
  std::vector<Leak> leaks;
  std::set<std::int64_t> told;
  const auto add = [&](Leak leak) {
    if (leak.age_us < min_age_us || !told.insert(leak.server_pid).second) return;
    PutClient(by_pid, leak);
    leaks.push_back(std::move(leak));
  };
  for (const v1::Backend& backend : snapshot.extension().backends()) {
    if (!backend.state().starts_with("idle in transaction")) continue;
    add(OfBackend(backend, Between(backend.state_since(), snapshot.time())));
  }
  for (const v1::Pin& pin : snapshot.pins()) add(OfPin(pin));
  // A backend that works is no leak; without the extension we cannot tell, and do not say.
  const std::set<std::int64_t> idle = IdleBackends(snapshot);
  for (const auto& [pid, client] : by_pid) {
    if (!idle.contains(pid) || client->state() != v1::CLIENT_STATE_ACTIVE) continue;
    add({.kind = "unused_lease",
         .server_pid = pid,
         .age_us = Between(client->connection().request_at(), snapshot.time()),
         .state = "idle, and keeps its server connection"});
  }
  std::stable_sort(leaks.begin(), leaks.end(),
                   [](const Leak& a, const Leak& b) { return a.age_us > b.age_us; });
  return leaks;
}

SortedTable LeaksTable(const std::vector<Leak>& leaks) {
  SortedTable table({{"FOR", Align::kRight},
                     {"BACKEND", Align::kRight},
                     {"CLIENT ID", Align::kRight},
                     {"DATABASE", Align::kLeft, 8},
                     {"USER", Align::kLeft, 8},
                     {"APPLICATION", Align::kLeft, 10},
                     {"CLIENT", Align::kLeft, 9},
                     {"STATE", Align::kLeft, 12}},
                    {"age"});
  for (const Leak& leak : leaks) {
    table.Add({{Elapsed(leak.age_us), Style::kWarning},
               std::to_string(leak.server_pid),
               leak.client_id == 0 ? "-" : std::to_string(leak.client_id),
               leak.database,
               leak.user,
               leak.application_name,
               leak.client,
               leak.state},
              {});
  }
  return table;
}

}  // namespace pgvalet::cli

// What SHOW can show: a table each, with PgBouncer's columns (docs/console.md has the list).
#pragma once

#include <string>

#include "base/result.h"
#include "console/answer.h"
#include "console/command.h"

namespace pgvalet::console {

Result<Table> ShowClients(const Scene& scene);
Result<Table> ShowServers(const Scene& scene);
Result<Table> ShowSockets(const Scene& scene);
Result<Table> ShowActiveSockets(const Scene& scene);

Result<Table> ShowPools(const Scene& scene);
Result<Table> ShowDatabases(const Scene& scene);
Result<Table> ShowUsers(const Scene& scene);
Result<Table> ShowLists(const Scene& scene);

// "idle", "waiting": as SHOW CLIENTS has it.
const char* ClientStateName(control::ClientState state);

// What PgBouncer has no words for.
Result<Table> ShowPins(const Scene& scene);
Result<Table> ShowSessions(const Scene& scene);
Result<Table> ShowEvents(const Scene& scene);
Result<Table> ShowAlerts(const Scene& scene);

Result<Table> ShowStats(const Scene& scene);
Result<Table> ShowStatsTotals(const Scene& scene);
Result<Table> ShowStatsAverages(const Scene& scene);
Result<Table> ShowTotals(const Scene& scene);

// "stats: 3 xacts/s, ...": the averages of a period, as PgBouncer logs them.
std::string StatsLine(const Period& period);

Result<Table> ShowConfig(const Scene& scene);

Result<Table> ShowVersion(const Scene& scene);
Result<Table> ShowState(const Scene& scene);
Result<Table> ShowMem(const Scene& scene);
Result<Table> ShowFds(const Scene& scene);
Result<Table> ShowPeers(const Scene& scene);
Result<Table> ShowPeerPools(const Scene& scene);
Result<Table> ShowDnsHosts(const Scene& scene);
Result<Table> ShowDnsZones(const Scene& scene);

}  // namespace pgvalet::console

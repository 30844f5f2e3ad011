#include "advice/health.h"

#include <algorithm>

namespace pgvalet::advice {
namespace {

bool Concerns(const stats::Alert& alert, const stats::PoolSnapshot& pool) {
  return !alert.database.empty() && alert.database == pool.database &&
         (alert.user.empty() || alert.user == pool.user);
}

bool IsServed(const stats::AgentStatus& status) {
  return status.state == stats::AgentState::kRunning && status.listening;
}

}  // namespace

const char* HealthName(Health health) {
  switch (health) {
    case Health::kOk:
      return "ok";
    case Health::kDegraded:
      return "degraded";
    case Health::kDown:
      break;
  }
  return "down";
}

Health HealthOf(const stats::PoolSnapshot& pool, const stats::Snapshot& snapshot) {
  Health health = Health::kOk;
  for (const stats::Alert& alert : snapshot.alerts) {
    if (!Concerns(alert, pool)) continue;
    if (alert.name == "server_down") return Health::kDown;
    if (alert.severity >= stats::Severity::kWarning) health = Health::kDegraded;
  }
  return health;
}

Health HealthOf(const stats::Snapshot& snapshot) {
  if (!IsServed(snapshot.agent.status)) return Health::kDown;
  const auto& pools = snapshot.pools;
  const bool all_down =
      !pools.empty() && std::all_of(pools.begin(), pools.end(), [&](const auto& pool) {
        return HealthOf(pool, snapshot) == Health::kDown;
      });
  if (all_down) return Health::kDown;
  const bool any = std::any_of(snapshot.alerts.begin(), snapshot.alerts.end(), [](const auto& a) {
    return a.severity >= stats::Severity::kWarning;
  });
  return any ? Health::kDegraded : Health::kOk;
}

}  // namespace pgvalet::advice

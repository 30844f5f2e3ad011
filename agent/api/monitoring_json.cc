#include "api/monitoring_json.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "advice/health.h"

namespace pgvalet::api {
namespace {

// In the order in which they are put in.
using Json = nlohmann::ordered_json;

// Names come from clients and may hold any bytes.
std::string Text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json MomentOf(stats::WallTime time) {
  if (time == stats::WallTime{}) return nullptr;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (time - seconds).count());
}

double Seconds(std::int64_t us) { return static_cast<double>(us) / 1e6; }
double Milliseconds(std::uint64_t us) { return static_cast<double>(us) / 1e3; }

Json Percent(std::int64_t part, std::int64_t whole) {
  if (whole <= 0) return nullptr;
  return 100 * static_cast<double>(part) / static_cast<double>(whole);
}

// The share of leases that were granted at once.
Json HitRateOf(double leases, double waits) {
  if (leases <= 0) return nullptr;
  return 1 - std::min(waits / leases, 1.0);
}

Json HitRateOf(const stats::PoolTotals& totals) {
  return HitRateOf(static_cast<double>(totals.leases), static_cast<double>(totals.lease_waits));
}

Json HitRateOf(const stats::PoolWindow& window) {
  return HitRateOf(window.leases_per_s, window.lease_waits_per_s);
}

std::int64_t ConnectionsOf(const stats::PoolGauges& now) {
  return now.servers_active + now.servers_idle + now.servers_connecting + now.servers_testing +
         now.servers_canceling;
}

// What pools have in common, one or all together.
void PutConnections(const stats::PoolGauges& now, const stats::PoolTotals& totals,
                    const stats::PoolWindow& window, Json& json) {
  json["pool_size"] = now.pool_size;
  json["total_connections"] = ConnectionsOf(now);
  json["active_connections"] = now.servers_active;
  json["idle"] = now.servers_idle;
  json["connecting"] = now.servers_connecting;
  json["clients"] = now.clients_active + now.clients_waiting + now.clients_idle;
  json["waiting"] = now.clients_waiting;
  json["pinned"] = now.clients_pinned;
  json["longest_wait_seconds"] = Seconds(now.longest_wait_us);
  json["failed_connections"] = totals.server_connect_failures;
  json["query_wait_timeouts"] = totals.lease_timeouts;
  json["utilization_percent"] = Percent(now.servers_active, now.pool_size);
  json["hit_rate"] = HitRateOf(window);
  json["hit_rate_total"] = HitRateOf(totals);
}

Json PoolOf(const stats::PoolSnapshot& pool, const stats::Snapshot& snapshot) {
  Json json;
  json["database"] = pool.database;
  json["user"] = pool.user;
  json["pool_mode"] = pool.pool_mode;
  json["health"] = advice::HealthName(advice::HealthOf(pool, snapshot));
  PutConnections(pool.now, pool.totals, pool.window, json);
  return json;
}

Json AlertOf(const stats::Alert& alert) {
  Json json;
  json["name"] = alert.name;
  json["severity"] = stats::SeverityName(alert.severity);
  json["component"] = alert.component;
  json["database"] = alert.database;
  json["user"] = alert.user;
  json["message"] = alert.message;
  json["recommendation"] = alert.recommendation;
  json["since"] = MomentOf(alert.since);
  json["value"] = alert.unit.empty() ? Json(nullptr) : Json(alert.value);
  json["threshold"] = alert.unit.empty() ? Json(nullptr) : Json(alert.threshold);
  json["unit"] = alert.unit;
  return json;
}

Json AlertCounts(const stats::Snapshot& snapshot) {
  std::array<int, 3> count{};
  for (const stats::Alert& alert : snapshot.alerts)
    ++count[static_cast<std::size_t>(alert.severity)];
  return {{"critical", count[2]}, {"warning", count[1]}, {"info", count[0]}};
}

Json PoolCounts(const stats::Snapshot& snapshot) {
  std::array<int, 3> count{};
  for (const stats::PoolSnapshot& pool : snapshot.pools) {
    ++count[static_cast<std::size_t>(advice::HealthOf(pool, snapshot))];
  }
  return {{"count", snapshot.pools.size()},
          {"ok", count[0]},
          {"degraded", count[1]},
          {"down", count[2]}};
}

Json AgentOf(const stats::AgentHealth& agent) {
  Json json;
  json["version"] = agent.status.version;
  json["state"] = stats::AgentStateName(agent.status.state);
  json["listening"] = agent.status.listening;
  json["started_at"] = MomentOf(agent.status.started_at);
  json["uptime_seconds"] = Seconds(agent.uptime_us);
  json["clients"] = agent.clients;
  json["max_clients"] = agent.status.max_clients;
  json["login_failures"] = agent.login_failures;
  json["refused"] = agent.refused;
  json["resident_memory_bytes"] = agent.process.resident_bytes;
  json["open_files"] = agent.process.open_fds;
  json["max_open_files"] = agent.process.max_fds;
  json["cores"] = agent.cores.size();
  return json;
}

Json ServerOf(const stats::ExtensionSample& sample) {
  Json json;
  json["extension_available"] = sample.available;
  json["reason"] = sample.reason;
  json["sampled_at"] = MomentOf(sample.sampled_at);
  if (!sample.available) return json;
  const stats::SummaryRow& summary = sample.summary;
  json["extension_version"] = summary.extension_version;
  json["started_at"] = MomentOf(summary.started_at);
  json["connections"] = summary.connections;
  json["active"] = summary.active;
  json["idle"] = summary.idle;
  json["idle_in_transaction"] = summary.idle_in_transaction;
  json["agent_connections"] = summary.agent_connections;
  json["max_connections"] = summary.max_connections;
  json["reserved_connections"] = summary.reserved_connections;
  json["used_percent"] =
      Percent(summary.connections, summary.max_connections - summary.reserved_connections);
  return json;
}

Json TimesOf(const stats::Percentiles& percentiles) {
  if (percentiles.count == 0) return nullptr;
  return {{"p50_ms", Milliseconds(percentiles.p50_us)},
          {"p90_ms", Milliseconds(percentiles.p90_us)},
          {"p99_ms", Milliseconds(percentiles.p99_us)},
          {"max_ms", Milliseconds(percentiles.max_us)}};
}

Json HeadOf(const stats::Snapshot& snapshot) {
  Json json;
  json["time"] = MomentOf(snapshot.time);
  json["health"] = advice::HealthName(advice::HealthOf(snapshot));
  return json;
}

struct DatabaseSum {
  advice::Health health = advice::Health::kOk;
  std::int64_t pools = 0;
  std::int64_t connections = 0;
  std::int64_t waiting = 0;
  std::uint64_t failed = 0;
};

}  // namespace

std::string ConnectionPoolsJson(const stats::Snapshot& snapshot) {
  Json json = HeadOf(snapshot);
  json["window_seconds"] = Seconds(snapshot.window.count());
  json["pools"] = Json::array();
  for (const stats::PoolSnapshot& pool : snapshot.pools) {
    json["pools"].push_back(PoolOf(pool, snapshot));
  }
  return Text(json);
}

std::string SystemHealthJson(const stats::Snapshot& snapshot) {
  Json json = HeadOf(snapshot);
  json["agent"] = AgentOf(snapshot.agent);
  json["server"] = ServerOf(*snapshot.extension);
  json["pools"] = PoolCounts(snapshot);
  json["alerts"] = AlertCounts(snapshot);
  return Text(json);
}

std::string AlertsJson(const stats::Snapshot& snapshot) {
  Json json = HeadOf(snapshot);
  json["counts"] = AlertCounts(snapshot);
  json["alerts"] = Json::array();
  for (const stats::Alert& alert : snapshot.alerts) json["alerts"].push_back(AlertOf(alert));
  return Text(json);
}

std::string DatabasePoolJson(const stats::Snapshot& snapshot) {
  Json json = HeadOf(snapshot);
  json["pools"] = PoolCounts(snapshot);
  PutConnections(stats::SumOf(snapshot.pools), snapshot.totals, snapshot.totals_window, json);
  return Text(json);
}

std::string DatabaseHealthJson(const stats::Snapshot& snapshot) {
  std::map<std::string, DatabaseSum> databases;
  for (const stats::PoolSnapshot& pool : snapshot.pools) {
    DatabaseSum& sum = databases[pool.database];
    sum.health = std::max(sum.health, advice::HealthOf(pool, snapshot));
    ++sum.pools;
    sum.connections += ConnectionsOf(pool.now) - pool.now.servers_connecting;
    sum.waiting += pool.now.clients_waiting;
    sum.failed += pool.totals.server_connect_failures;
  }
  Json json = HeadOf(snapshot);
  json["server"] = ServerOf(*snapshot.extension);
  json["databases"] = Json::array();
  for (const auto& [name, sum] : databases) {
    json["databases"].push_back({{"database", name},
                                 {"health", advice::HealthName(sum.health)},
                                 {"pools", sum.pools},
                                 {"total_connections", sum.connections},
                                 {"waiting", sum.waiting},
                                 {"failed_connections", sum.failed}});
  }
  return Text(json);
}

std::string PerformanceSummaryJson(const stats::Snapshot& snapshot) {
  const stats::PoolWindow& window = snapshot.totals_window;
  Json json = HeadOf(snapshot);
  json["window_seconds"] = Seconds(snapshot.window.count());
  json["leases_per_second"] = window.leases_per_s;
  json["transactions_per_second"] = window.transactions_per_s;
  json["queries_per_second"] = window.queries_per_s;
  json["errors_per_second"] = window.errors_per_s;
  json["from_clients_bytes_per_second"] = window.from_clients_bytes_per_s;
  json["to_clients_bytes_per_second"] = window.to_clients_bytes_per_s;
  json["hit_rate"] = HitRateOf(window);
  json["hit_rate_total"] = HitRateOf(snapshot.totals);
  json["wait"] = TimesOf(window.wait_time);
  json["transaction"] = TimesOf(window.transaction_time);
  json["query"] = TimesOf(window.query_time);
  json["transactions_total"] = snapshot.totals.transactions;
  json["queries_total"] = snapshot.totals.queries;
  json["errors_total"] = snapshot.totals.errors;
  return Text(json);
}

}  // namespace pgvalet::api

// Rules about pools: how full, who waits, what failed, who holds on to connections.
#include <fmt/format.h>

#include <algorithm>

#include "advice/observation.h"
#include "advice/recent_counts.h"

namespace pgvalet::advice {
namespace {

using stats::Alert;
using stats::PoolSnapshot;
using stats::Severity;

// From so many times the threshold on, waiting is critical.
constexpr double kCriticalWaits = 10;

// Pools that are mentioned for a long pin; more would make nobody wiser.
constexpr std::size_t kMostLongPins = 50;

void LookAtUtilization(const View& view, const PoolSnapshot& pool, Observations& found) {
  const int threshold = view.settings.alert_utilization_percent;
  const double percent = Percent(pool.now.servers_active, pool.now.pool_size);
  const Level level = LevelOf(percent, threshold);
  if (level == Level::kClear) return;
  Alert alert = OfPool("pool_utilization", pool);
  // A line as long as the pool is one that does not go away by itself.
  const bool is_full = pool.now.servers_active >= pool.now.pool_size &&
                       pool.now.clients_waiting >= pool.now.pool_size;
  alert.severity = is_full ? Severity::kCritical : Severity::kWarning;
  alert.message = fmt::format("{} of {} server connections are in use ({:.0f} %), {} waiting",
                              pool.now.servers_active, pool.now.pool_size, percent,
                              Quantity(pool.now.clients_waiting, "client is", "clients are"));
  alert.recommendation = fmt::format(
      "Raise pool_size of this pool (now {}), or let its transactions end sooner: 99 % "
      "take up to {:.3f} s{}",
      pool.now.pool_size, SecondsOf(static_cast<std::int64_t>(pool.window.transaction_time.p99_us)),
      pool.pool_mode == "session"
          ? ". In session mode a client keeps its server connection until it leaves; "
            "pool_mode = transaction needs far fewer."
          : ".");
  alert.value = percent;
  alert.threshold = threshold;
  alert.unit = "percent";
  found.Add(level, std::move(alert));
}

void LookAtWaiters(const View& view, const PoolSnapshot& pool, Observations& found) {
  const int threshold = view.settings.alert_waiting_clients;
  const auto waiting = static_cast<double>(pool.now.clients_waiting);
  const Level level = LevelOf(waiting, threshold);
  if (level == Level::kClear) return;
  Alert alert = OfPool("pool_waiters", pool);
  alert.message =
      fmt::format("{} for a server connection, the longest for {:.1f} s; {} of {} are in use",
                  Quantity(pool.now.clients_waiting, "client waits", "clients wait"),
                  SecondsOf(pool.now.longest_wait_us), pool.now.servers_active, pool.now.pool_size);
  alert.recommendation =
      pool.now.servers_active < pool.now.pool_size
          ? "Server connections are missing, not in use: look whether the server takes new ones "
            "(max_connections, max_db_connections, max_user_connections)."
          : fmt::format(
                "Raise pool_size of this pool (now {}), or look for transactions that take "
                "long (pgvalet top, SHOW CLIENTS).",
                pool.now.pool_size);
  alert.value = waiting;
  alert.threshold = threshold;
  alert.unit = "clients";
  found.Add(level, std::move(alert));
}

void LookAtWaitTime(const View& view, const PoolSnapshot& pool, Observations& found) {
  const double threshold = SecondsOf(view.settings.alert_wait_time.count());
  const double p99_s = SecondsOf(static_cast<std::int64_t>(pool.window.wait_time.p99_us));
  const double longest_s = SecondsOf(pool.now.longest_wait_us);
  const double value = std::max(p99_s, longest_s);
  const Level level = LevelOf(value, threshold);
  if (level == Level::kClear) return;
  Alert alert = OfPool("pool_wait_time", pool);
  alert.severity = value >= kCriticalWaits * threshold ? Severity::kCritical : Severity::kWarning;
  alert.message = fmt::format(
      "clients wait up to {:.3f} s for a server connection: the longest now {:.3f} s, 99 % of the "
      "last window up to {:.3f} s",
      value, longest_s, p99_s);
  alert.recommendation = fmt::format(
      "Raise pool_size of this pool (now {}), or let its transactions end sooner; "
      "query_wait_timeout ends waits that are of no use to anybody.",
      pool.now.pool_size);
  alert.value = value;
  alert.threshold = threshold;
  alert.unit = "seconds";
  found.Add(level, std::move(alert));
}

void LookAtTimeouts(const View& view, const PoolSnapshot& pool, Observations& found) {
  const int threshold = view.settings.alert_query_wait_timeouts;
  const std::uint64_t count = view.recent.LeaseTimeouts(pool);
  const Level level = LevelOf(static_cast<double>(count), threshold);
  if (level == Level::kClear) return;
  Alert alert = OfPool("pool_query_wait_timeouts", pool);
  alert.severity = Severity::kCritical;
  alert.message = fmt::format(
      "{} refused in the last minute after waiting for query_wait_timeout; {} since the pool began",
      Quantity(static_cast<std::int64_t>(count), "client was", "clients were"),
      pool.totals.lease_timeouts);
  alert.recommendation = fmt::format(
      "The pool is too small for its load, or the server does not answer: raise pool_size (now "
      "{}), "
      "or look for what holds the {} server connections in use.",
      pool.now.pool_size, pool.now.servers_active);
  alert.value = static_cast<double>(count);
  alert.threshold = threshold;
  alert.unit = "clients";
  found.Add(level, std::move(alert), Duration::zero());
}

void LookAtFailedConnections(const View& view, const PoolSnapshot& pool, Observations& found) {
  const int threshold = view.settings.alert_failed_connections;
  const std::uint64_t count = view.recent.ConnectFailures(pool);
  const Level level = LevelOf(static_cast<double>(count), threshold);
  if (level == Level::kClear) return;
  Alert alert = OfPool("pool_failed_connections", pool);
  alert.message = fmt::format(
      "{} could not be opened in the last minute; {} open",
      Quantity(static_cast<std::int64_t>(count), "server connection", "server connections"),
      Quantity(pool.now.servers_active + pool.now.servers_idle, "is", "are"));
  alert.recommendation =
      "The agent's log says why: look for a server that does not listen, a wrong password, "
      "pg_hba.conf, or max_connections of the server.";
  alert.value = static_cast<double>(count);
  alert.threshold = threshold;
  alert.unit = "connections";
  found.Add(level, std::move(alert), Duration::zero());
}

void LookAtPinned(const View& view, const PoolSnapshot& pool, Observations& found) {
  const int threshold = view.settings.alert_pinned_percent;
  const double percent = Percent(pool.now.clients_pinned, pool.now.pool_size);
  const Level level = LevelOf(percent, threshold);
  if (level == Level::kClear || pool.pool_mode == "session") return;
  Alert alert = OfPool("pool_pinned", pool);
  alert.message =
      fmt::format("{} of {} server connections are held between transactions ({:.0f} %)",
                  pool.now.clients_pinned, pool.now.pool_size, percent);
  alert.recommendation =
      "SHOW PINS says what ties each session to its backend (docs/pooling.md says how to do "
      "without); beyond max_pinned_share clients wait.";
  alert.value = percent;
  alert.threshold = threshold;
  alert.unit = "percent";
  found.Add(level, std::move(alert));
}

void LookAtPool(const View& view, const PoolSnapshot& pool, Observations& found) {
  LookAtUtilization(view, pool, found);
  LookAtWaiters(view, pool, found);
  LookAtWaitTime(view, pool, found);
  LookAtTimeouts(view, pool, found);
  LookAtFailedConnections(view, pool, found);
  LookAtPinned(view, pool, found);
}

// The pools of one database together: no server connection is open, and those tried failed.
void LookAtDatabase(const View& view, const PoolSnapshot* first, const PoolSnapshot* last,
                    Observations& found) {
  std::int64_t open = 0;
  std::int64_t waiting = 0;
  std::uint64_t failures = 0;
  for (const PoolSnapshot* pool = first; pool != last; ++pool) {
    open += pool->now.servers_active + pool->now.servers_idle + pool->now.servers_testing +
            pool->now.servers_canceling;
    waiting += pool->now.clients_waiting;
    failures += view.recent.ConnectFailures(*pool);
  }
  if (open > 0 || failures == 0) return;
  Alert alert = OfDatabase("server_down", first->database);
  alert.severity = Severity::kCritical;
  alert.message =
      fmt::format("no server connection is open, and {} failed in the last minute; {} waiting",
                  Quantity(static_cast<std::int64_t>(failures), "attempt", "attempts"),
                  Quantity(waiting, "client is", "clients are"));
  alert.recommendation =
      "Look whether PostgreSQL runs and can be reached from here (pg_isready with host and port of "
      "the entry in [databases]); the agent's log says how it was refused.";
  alert.value = static_cast<double>(failures);
  alert.threshold = 1;
  alert.unit = "connections";
  found.Add(Level::kReached, std::move(alert));
}

void LookAtDatabases(const View& view, Observations& found) {
  if (!view.settings.alert_server_down) return;
  const auto& pools = view.snapshot.pools;
  for (std::size_t i = 0; i < pools.size();) {
    std::size_t end = i + 1;
    while (end < pools.size() && pools[end].database == pools[i].database) ++end;
    LookAtDatabase(view, &pools[i], pools.data() + end, found);
    i = end;
  }
}

// The oldest pin of each pool; pins come oldest first.
void LookAtPins(const View& view, Observations& found) {
  const double threshold = SecondsOf(view.settings.alert_pin_age.count());
  const auto& pins = view.snapshot.pins;
  std::vector<const stats::PinSnapshot*> mentioned;
  for (const stats::PinSnapshot& pin : pins) {
    const double age_s = SecondsOf(pin.age_us);
    const Level level = LevelOf(age_s, threshold);
    if (level == Level::kClear) return;
    const auto is_same_pool = [&](const stats::PinSnapshot* other) {
      return other->client.database == pin.client.database && other->client.user == pin.client.user;
    };
    if (std::any_of(mentioned.begin(), mentioned.end(), is_same_pool)) continue;
    if (mentioned.size() >= kMostLongPins) return;
    mentioned.push_back(&pin);
    PoolSnapshot pool;
    pool.database = pin.client.database;
    pool.user = pin.client.user;
    Alert alert = OfPool("pool_long_pins", pool);
    alert.message = fmt::format(
        "client {} (application \"{}\") has held backend {} between transactions for {:.0f} s: {}",
        pin.client.client, pin.client.application_name, pin.client.server_pid, age_s,
        pin.client.reasons.empty() ? "no reason is known" : pin.client.reasons.front().reason);
    alert.recommendation =
        "Let the application end what ties its session (docs/pooling.md lists the reasons), or "
        "give it a database entry in session mode.";
    alert.value = age_s;
    alert.threshold = threshold;
    alert.unit = "seconds";
    found.Add(level, std::move(alert), Duration::zero());
  }
}

}  // namespace

void LookAtPools(const View& view, Observations& found) {
  for (const PoolSnapshot& pool : view.snapshot.pools) LookAtPool(view, pool, found);
  LookAtDatabases(view, found);
  LookAtPins(view, found);
}

}  // namespace pgvalet::advice

#include "advice/pool_size.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace pgvalet::advice {
namespace {

constexpr std::int64_t kLargestPool = 100'000;
constexpr std::int64_t kMostOfEach = 1'000'000;  // workers, connections

double Sane(double value) { return std::isfinite(value) && value > 0 ? value : 0; }

// Erlang's B formula for `servers` and `busy` (the offered load), from that for one server less.
double NextErlangB(double previous, std::int64_t servers, double busy) {
  return busy * previous / (static_cast<double>(servers) + busy * previous);
}

// Erlang's C formula, the probability of a wait, from the B formula.
double ErlangC(double b, std::int64_t servers, double busy) {
  const double utilization = busy / static_cast<double>(servers);
  return b / (1 - utilization * (1 - b));
}

double LongerThan(double c_formula, std::int64_t servers, const Load& load, double wait_s) {
  const double spare_per_s = static_cast<double>(servers) / load.held_s - load.leases_per_s;
  return c_formula * std::exp(-spare_per_s * Sane(wait_s));
}

}  // namespace

Load LoadOf(const stats::PoolTotals& counted, Duration time) {
  const double seconds = std::chrono::duration<double>(time).count();
  const auto leases = static_cast<double>(counted.leases);
  if (seconds <= 0 || counted.leases == 0) return {};
  return {.leases_per_s = leases / seconds,
          .held_s = static_cast<double>(counted.transaction_time.sum_us) / 1e6 / leases};
}

double ShareThatWaits(const Load& load, std::int64_t pool_size, double wait_s) {
  const double busy = Sane(load.leases_per_s) * Sane(load.held_s);
  if (busy == 0) return 0;
  if (pool_size < 1 || busy >= static_cast<double>(pool_size)) return 1;
  double b = 1;
  for (std::int64_t servers = 1; servers <= pool_size; ++servers) b = NextErlangB(b, servers, busy);
  return LongerThan(ErlangC(b, pool_size, busy), pool_size, load, wait_s);
}

PoolSizeAdvice SizeForLoad(const Load& load, const WaitGoal& goal) {
  PoolSizeAdvice advice;
  const double busy = Sane(load.leases_per_s) * Sane(load.held_s);
  if (busy == 0) {
    advice.arithmetic = {"no load was measured: 1 server connection is enough for none"};
    return advice;
  }
  const double allowed = std::clamp(1 - goal.share, 0.0, 1.0);
  double b = 1;
  double waits = 1;
  double longer = 1;
  std::int64_t size = 0;
  while (longer > allowed && size < kLargestPool) {
    b = NextErlangB(b, ++size, busy);
    if (busy >= static_cast<double>(size)) continue;
    waits = ErlangC(b, size, busy);
    longer = LongerThan(waits, size, load, goal.wait_s);
  }
  advice.pool_size = size;
  advice.arithmetic = {
      fmt::format("{:.1f} leases per second, each held for {:.3f} ms in the mean",
                  load.leases_per_s, load.held_s * 1000),
      fmt::format(
          "busy in the mean (Little's law): {:.1f}/s x {:.6f} s = {:.2f} server connections",
          load.leases_per_s, load.held_s, busy),
      fmt::format("goal: at most {:.2f} % of leases wait longer than {:.1f} ms", allowed * 100,
                  goal.wait_s * 1000),
      fmt::format("with {} server connections (M/M/c, Erlang C): {:.2f} % wait, {:.2f} % longer "
                  "than {:.1f} ms; they are busy {:.0f} % of the time",
                  size, waits * 100, longer * 100, goal.wait_s * 1000,
                  100 * busy / static_cast<double>(size)),
      fmt::format("pool_size = {}", size)};
  return advice;
}

FleetAdvice SizeForFleet(const Fleet& fleet) {
  const std::int64_t clients =
      std::clamp<std::int64_t>(fleet.workers, 0, kMostOfEach) *
      std::clamp<std::int64_t>(fleet.connections_per_worker, 0, kMostOfEach);
  const std::int64_t room =
      std::max<std::int64_t>(fleet.max_connections - fleet.reserved_connections, 1);
  const std::int64_t usable = std::max<std::int64_t>(room * 8 / 10, 1);
  const std::int64_t pools = std::max<std::int64_t>(fleet.pools, 1);
  const std::int64_t most = std::max<std::int64_t>(usable / pools, 1);

  FleetAdvice advice;
  advice.pool_size = std::clamp<std::int64_t>(clients, 1, most);
  advice.max_client_conn = std::max<std::int64_t>((clients * 5 + 3) / 4, 1);
  advice.fits_without_pool = clients <= usable;
  advice.arithmetic = {
      fmt::format("{} workers x {} connections = {} clients", fleet.workers,
                  fleet.connections_per_worker, clients),
      fmt::format("max_connections {} - {} reserved = {} for ordinary roles", fleet.max_connections,
                  fleet.reserved_connections, room),
      clients <= room ? fmt::format("without a pool: {} of {} would be taken", clients, room)
                      : fmt::format("without a pool: {} - {} = {} connections would be refused",
                                    clients, room, clients - room),
      fmt::format("a fifth stays free: {} x 0.8 = {}, for {} pool{}: {} each", room, usable, pools,
                  pools == 1 ? "" : "s", most),
      fmt::format("pool_size = min({}, {}) = {}", std::max<std::int64_t>(clients, 1), most,
                  advice.pool_size),
      fmt::format("max_client_conn = {} clients and a quarter more = {}", clients,
                  advice.max_client_conn)};
  return advice;
}

}  // namespace pgvalet::advice

#include "stats/snapshot_builder.h"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

namespace pgvalet::stats {
namespace {

PoolTotals ReadTotals(const PoolCounters& pool) {
  return {.leases = pool.leases.value(),
          .lease_timeouts = pool.lease_timeouts.value(),
          .lease_waits = pool.lease_waits.value(),
          .transactions = pool.transactions.value(),
          .queries = pool.queries.value(),
          .errors = pool.errors.value(),
          .from_clients_bytes = pool.from_clients_bytes.value(),
          .to_clients_bytes = pool.to_clients_bytes.value(),
          .from_servers_bytes = pool.from_servers_bytes.value(),
          .to_servers_bytes = pool.to_servers_bytes.value(),
          .client_parses = pool.client_parses.value(),
          .server_parses = pool.server_parses.value(),
          .binds = pool.binds.value(),
          .client_logins = pool.client_logins.value(),
          .server_connects = pool.server_connects.value(),
          .server_connects_without_extension = pool.server_connects_without_extension.value(),
          .server_connect_failures = pool.server_connect_failures.value(),
          .server_closes = pool.server_closes.value(),
          .setting_restores = pool.setting_restores.value(),
          .pins = pool.pins.value(),
          .wait_time = pool.wait_time.Copy(),
          .transaction_time = pool.transaction_time.Copy(),
          .query_time = pool.query_time.Copy()};
}

void AddGauges(const PoolCounters& pool, Time now, PoolGauges& sum) {
  sum.clients_active += pool.clients_active.value();
  sum.clients_waiting += pool.clients_waiting.value();
  sum.clients_idle += pool.clients_idle.value();
  sum.clients_pinned += pool.clients_pinned.value();
  sum.servers_active += pool.servers_active.value();
  sum.servers_idle += pool.servers_idle.value();
  sum.servers_connecting += pool.servers_connecting.value();
  sum.servers_testing += pool.servers_testing.value();
  sum.servers_canceling += pool.servers_canceling.value();
  sum.pool_size = std::max(sum.pool_size, pool.pool_size.value());

  const std::int64_t wait_start_us = pool.oldest_wait_start_us.value();
  if (wait_start_us == 0) return;
  const auto now_us = std::chrono::duration_cast<Duration>(now.time_since_epoch()).count();
  // A wait that began after `now` was read is 0 us long, yet somebody waits.
  sum.longest_wait_us =
      std::max(sum.longest_wait_us, std::max<std::int64_t>(now_us - wait_start_us, 1));
}

// Null when `snapshot` is null or has no such pool.
const PoolSnapshot* FindPool(const SnapshotPtr& snapshot, const PoolSnapshot& pool) {
  if (!snapshot) return nullptr;
  const auto key = [](const PoolSnapshot& p) { return std::tie(p.database, p.user); };
  const auto it = std::lower_bound(
      snapshot->pools.begin(), snapshot->pools.end(), pool,
      [&](const PoolSnapshot& a, const PoolSnapshot& b) { return key(a) < key(b); });
  return it != snapshot->pools.end() && key(*it) == key(pool) ? &*it : nullptr;
}

double BusyShare(const CoreSnapshot& core, const SnapshotPtr& baseline, Duration window) {
  std::uint64_t before_us = 0;
  if (baseline) {
    for (const CoreSnapshot& earlier : baseline->agent.cores) {
      if (earlier.core == core.core) before_us = earlier.busy_us;
    }
  }
  // The core brings busy_us up to date now and then, so a window can get a little of the one
  // before.
  const double share =
      static_cast<double>(core.busy_us - before_us) / static_cast<double>(window.count());
  return std::clamp(share, 0.0, 1.0);
}

std::vector<PinSnapshot> AgedPins(const std::vector<PinnedClient>& pins, Time now) {
  std::vector<PinSnapshot> aged;
  aged.reserve(pins.size());
  for (const PinnedClient& pin : pins) aged.push_back({pin, Since(pin.since, now).count()});
  std::sort(aged.begin(), aged.end(), [](const PinSnapshot& a, const PinSnapshot& b) {
    return a.client.since < b.client.since;
  });
  return aged;
}

std::shared_ptr<const ExtensionSample> NotReadYet() {
  auto sample = std::make_shared<ExtensionSample>();
  sample->reason = "The extension has not been read yet.";
  return sample;
}

}  // namespace

SnapshotBuilder::SnapshotBuilder(Registry& registry, Moment start)
    : registry_(registry), start_(start) {}

SnapshotPtr SnapshotBuilder::Build(SnapshotInputs inputs, const AlertJudge& judge) {
  const Registry::Collected collected = registry_.Collect();
  const Time window_start = baseline_ ? baseline_->steady_time : start_.steady;

  auto snapshot = std::make_shared<Snapshot>();
  snapshot->sequence = sequence_ + 1;
  snapshot->time = inputs.now.wall;
  snapshot->steady_time = inputs.now.steady;
  snapshot->interval = inputs.interval;
  snapshot->window = std::max(Since(window_start, inputs.now.steady), Duration{1});
  snapshot->agent = CollectAgent(collected, inputs, snapshot->window);
  snapshot->pools = CollectPools(collected, inputs.now.steady);
  snapshot->pins = AgedPins(collected.pins, inputs.now.steady);
  for (auto& [pool, reported_at] : registry_.reported_pools().List(inputs.now.steady)) {
    const Duration age = std::max(Since(reported_at, inputs.now.steady), Duration{0});
    snapshot->reported_pools.push_back({std::move(pool), age.count()});
  }
  snapshot->totals = gone_;
  for (PoolSnapshot& pool : snapshot->pools) {
    const PoolSnapshot* before = FindPool(baseline_, pool);
    const PoolTotals counted = before ? pool.totals.Since(before->totals) : pool.totals;
    pool.window = WindowOf(counted, snapshot->window);
    snapshot->totals.Add(pool.totals);
  }
  const PoolTotals counted =
      baseline_ ? snapshot->totals.Since(baseline_->totals) : snapshot->totals;
  snapshot->totals_window = WindowOf(counted, snapshot->window);
  snapshot->extension = inputs.extension ? std::move(inputs.extension) : NotReadYet();
  if (judge) snapshot->alerts = judge(*snapshot);

  if (!baseline_ || pool_left_ || snapshot->window >= inputs.interval / 2) baseline_ = snapshot;
  ++sequence_;
  return snapshot;
}

std::vector<PoolSnapshot> SnapshotBuilder::CollectPools(const Registry::Collected& collected,
                                                        Time now) {
  std::map<PoolKey, PoolSnapshot> pools;
  for (const auto& part : collected.pools) {
    PoolSnapshot& pool = pools[{part->database, part->user}];
    pool.database = part->database;
    pool.user = part->user;
    pool.pool_mode = part->pool_mode;
    AddGauges(*part, now, pool.now);
    pool.totals.Add(ReadTotals(*part));
  }
  for (const auto& part : collected.removed) {
    retired_[{part->database, part->user}].Add(ReadTotals(*part));
  }
  pool_left_ = false;
  for (auto it = retired_.begin(); it != retired_.end();) {
    const auto pool = pools.find(it->first);
    if (pool != pools.end()) {
      pool->second.totals.Add(it->second);
      ++it;
    } else {
      gone_.Add(it->second);
      it = retired_.erase(it);
      pool_left_ = true;
    }
  }

  std::vector<PoolSnapshot> ordered;
  ordered.reserve(pools.size());
  for (auto& [key, pool] : pools) ordered.push_back(std::move(pool));
  return ordered;
}

AgentHealth SnapshotBuilder::CollectAgent(const Registry::Collected& collected,
                                          SnapshotInputs& inputs, Duration window) const {
  AgentHealth agent;
  agent.status = std::move(inputs.status);
  agent.uptime_us = Since(start_.steady, inputs.now.steady).count();
  agent.process = inputs.process;
  for (const auto& counters : collected.cores) {
    agent.clients += counters->clients.value();
    agent.clients_logging_in += counters->clients_logging_in.value();
    agent.accepted += counters->accepted.value();
    agent.login_failures += counters->login_failures.value();
    agent.refused += counters->refused.value();
    agent.cancel_requests += counters->cancel_requests.value();
    agent.buffers_in_use += counters->buffers_in_use.value();
    agent.buffer_bytes += counters->buffer_bytes.value();
    CoreSnapshot core{.core = counters->core,
                      .clients = counters->clients.value(),
                      .loop_wakeups = counters->loop_wakeups.value(),
                      .busy_us = counters->busy_us.value()};
    core.busy_share = BusyShare(core, baseline_, window);
    agent.cores.push_back(core);
  }
  std::sort(agent.cores.begin(), agent.cores.end(),
            [](const CoreSnapshot& a, const CoreSnapshot& b) { return a.core < b.core; });
  return agent;
}

}  // namespace pgvalet::stats

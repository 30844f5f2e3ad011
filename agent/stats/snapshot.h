// Snapshot: every number the agent tells the world, read once, at one moment.
//
// Made by    stats/snapshot_builder.h, on the publisher's thread, once per snapshot_interval.
// Read by    gRPC, HTTP and console, any number of threads, without a lock.
// Lifetime   immutable once published; std::shared_ptr<const Snapshot> keeps it alive.
//
// The same names and units stand in proto/pgvalet/v1/stats.proto; docs/metrics.md maps them to
// SQL columns and Prometheus names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/histogram.h"
#include "stats/alert.h"
#include "stats/extension_sample.h"
#include "stats/pin_board.h"
#include "stats/reported_pools.h"

namespace pgvalet::stats {

enum class AgentState : std::uint8_t {
  kStarting,  // not yet open to clients
  kRunning,
  kDraining,  // no new clients; ends as sessions end
};

// "starting", "running", "draining".
const char* AgentStateName(AgentState state);

// The connections that listen for clients, one for each database (room notify).
struct ListeningStatus {
  std::int64_t clients = 0;
  std::int64_t channels = 0;
  std::int64_t connections = 0;
  std::uint64_t connects = 0;
  std::uint64_t connect_failures = 0;
  std::uint64_t connections_lost = 0;
  std::uint64_t clients_lost = 0;
  std::uint64_t notifications = 0;
  std::uint64_t deliveries = 0;
};

// A database that somebody switched off (control/door.h).
struct SwitchedDatabase {
  std::string database;  // empty: all of them
  bool paused = false;   // also after a kill
  bool disabled = false;
};

// What only the daemon knows of itself.
struct AgentStatus {
  std::string version;
  AgentState state = AgentState::kStarting;
  bool listening = false;         // at least one client socket accepts
  WallTime started_at{};          // start of the process
  WallTime settings_loaded_at{};  // last load or reload that was accepted
  std::int64_t max_clients = 0;   // setting max_client_conn
  ListeningStatus channels{};
  std::vector<SwitchedDatabase> switched{};
};

// What the operating system says of this process.  0 where it does not say.
struct ProcessUsage {
  std::int64_t resident_bytes = 0;
  std::int64_t open_fds = 0;
  std::int64_t max_fds = 0;        // soft limit
  std::int64_t cpu_user_us = 0;    // since process start
  std::int64_t cpu_system_us = 0;  // since process start
};

// One core.
struct CoreSnapshot {
  int core = 0;
  std::int64_t clients = 0;
  std::uint64_t loop_wakeups = 0;  // since start
  std::uint64_t busy_us = 0;       // since start
  double busy_share = 0;           // 0..1: busy_us as a share of the window
};

// The agent itself.  Gauges and counters are sums over all cores.
struct AgentHealth {
  AgentStatus status;
  std::int64_t uptime_us = 0;
  std::int64_t clients = 0;             // connected now, also those still logging in
  std::int64_t clients_logging_in = 0;  // of these
  std::uint64_t accepted = 0;
  std::uint64_t login_failures = 0;
  std::uint64_t refused = 0;
  std::uint64_t cancel_requests = 0;
  std::int64_t buffers_in_use = 0;
  std::int64_t buffer_bytes = 0;
  ProcessUsage process;
  std::vector<CoreSnapshot> cores;  // by core number
};

// Counters of a pool; grow only.  stats/counters.h says what each counts.
struct PoolTotals {
  std::uint64_t leases = 0;
  std::uint64_t lease_timeouts = 0;
  std::uint64_t lease_waits = 0;
  std::uint64_t transactions = 0;
  std::uint64_t queries = 0;
  std::uint64_t errors = 0;
  std::uint64_t from_clients_bytes = 0;
  std::uint64_t to_clients_bytes = 0;
  std::uint64_t from_servers_bytes = 0;
  std::uint64_t to_servers_bytes = 0;
  std::uint64_t client_parses = 0;
  std::uint64_t server_parses = 0;
  std::uint64_t binds = 0;
  std::uint64_t client_logins = 0;
  std::uint64_t server_connects = 0;
  std::uint64_t server_connects_without_extension = 0;
  std::uint64_t server_connect_failures = 0;
  std::uint64_t server_closes = 0;
  std::uint64_t setting_restores = 0;
  std::uint64_t pins = 0;
  HistogramData wait_time;
  HistogramData transaction_time;
  HistogramData query_time;

  void Add(const PoolTotals& other);
  // What was counted since `earlier`, an older reading of the same counters.
  PoolTotals Since(const PoolTotals& earlier) const;
};

// Values now, summed over cores.
struct PoolGauges {
  std::int64_t clients_active = 0;
  std::int64_t clients_waiting = 0;
  std::int64_t clients_idle = 0;
  std::int64_t clients_pinned = 0;
  std::int64_t servers_active = 0;
  std::int64_t servers_idle = 0;
  std::int64_t servers_connecting = 0;
  std::int64_t servers_testing = 0;
  std::int64_t servers_canceling = 0;
  std::int64_t pool_size = 0;        // the pool's limit; not a sum, cores share one limit
  std::int64_t longest_wait_us = 0;  // of the client that waits longest now; 0: nobody waits
};

// A distribution in few numbers: upper bounds of histogram buckets, microseconds.
struct Percentiles {
  std::uint64_t count = 0;  // values in the window; all below are 0 when this is
  std::uint64_t p50_us = 0;
  std::uint64_t p90_us = 0;
  std::uint64_t p99_us = 0;
  std::uint64_t max_us = 0;
};

Percentiles PercentilesOf(const HistogramData& data);

// What happened between the previous snapshot and this one, per second.
struct PoolWindow {
  double leases_per_s = 0;
  double lease_waits_per_s = 0;  // of these, not granted at once
  double transactions_per_s = 0;
  double queries_per_s = 0;
  double errors_per_s = 0;
  double from_clients_bytes_per_s = 0;
  double to_clients_bytes_per_s = 0;
  double from_servers_bytes_per_s = 0;
  double to_servers_bytes_per_s = 0;
  Percentiles wait_time;
  Percentiles transaction_time;
  Percentiles query_time;
};

// What was counted in a time of this length.  REQUIRES: length is not zero.
PoolWindow WindowOf(const PoolTotals& counted, Duration length);

// One pool: all of one (database, user), over all cores.
struct PoolSnapshot {
  std::string database;
  std::string user;
  std::string pool_mode;
  PoolGauges now;
  // Since the pool appeared.  A core's part that went away stays counted until the last core's
  // part is gone; then the pool leaves the snapshot, and starts at 0 if it comes back.
  PoolTotals totals;
  PoolWindow window;
};

// All of these pools together; longest_wait_us is that of the client that waits longest.
PoolGauges SumOf(const std::vector<PoolSnapshot>& pools);

// One client that holds on to its server connection, and for how long.
struct PinSnapshot {
  PinnedClient client;
  std::int64_t age_us = 0;
};

// A pool that an application reported, and how long ago.
struct ReportedPoolSnapshot {
  ReportedPool pool;
  std::int64_t age_us = 0;
};

struct Snapshot {
  std::uint64_t sequence = 0;  // 1, 2, 3, ... since process start, without gap
  WallTime time{};             // when the counters were read
  Time steady_time{};          // the same moment on the steady clock
  Duration interval{0};        // snapshot_interval in force
  Duration window{0};          // since the snapshot before, or since start
  AgentHealth agent;
  std::vector<PoolSnapshot> pools;                   // by database, then user
  std::vector<PinSnapshot> pins;                     // oldest first
  std::vector<ReportedPoolSnapshot> reported_pools;  // by application, name, instance
  // All pools since start, also those that are gone.
  PoolTotals totals;
  PoolWindow totals_window;
  std::shared_ptr<const ExtensionSample> extension;  // never null
  std::vector<Alert> alerts;                         // the most severe first
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace pgvalet::stats

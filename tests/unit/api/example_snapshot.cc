#include "example_snapshot.h"

namespace pgvalet::api {
namespace {

using stats::WallTime;
using std::chrono::seconds;

stats::AgentHealth ExampleAgent() {
  stats::AgentHealth agent;
  agent.status = {.version = "0.1.0",
                  .state = stats::AgentState::kRunning,
                  .listening = true,
                  .started_at = WallTime{seconds(1'700'000'000)},
                  .settings_loaded_at = WallTime{seconds(1'700'000'001)},
                  .max_clients = 10'000};
  agent.uptime_us = 60'000'000;
  agent.clients = 12;
  agent.clients_logging_in = 2;
  agent.accepted = 100;
  agent.login_failures = 3;
  agent.refused = 4;
  agent.cancel_requests = 5;
  agent.status.channels = {.clients = 31,
                           .channels = 7,
                           .connections = 2,
                           .connects = 4,
                           .connect_failures = 1,
                           .connections_lost = 2,
                           .clients_lost = 9,
                           .notifications = 120,
                           .deliveries = 360};
  agent.buffers_in_use = 6;
  agent.buffer_bytes = 7 * 65536;
  agent.process = {.resident_bytes = 8 << 20,
                   .open_fds = 30,
                   .max_fds = 1024,
                   .cpu_user_us = 1'500'000,
                   .cpu_system_us = 2'500'000};
  agent.cores = {
      {.core = 1, .clients = 5, .loop_wakeups = 50, .busy_us = 500'000, .busy_share = 0.5},
      {.core = 2, .clients = 7, .loop_wakeups = 70, .busy_us = 700'000, .busy_share = 0.7}};
  return agent;
}

HistogramData ExampleHistogram(std::uint64_t us) {
  Histogram histogram;
  histogram.Record(us);
  histogram.Record(us * 1000);
  return histogram.Copy();
}

stats::PoolTotals ExampleTotals() {
  return {.leases = 11,
          .lease_timeouts = 12,
          .lease_waits = 13,
          .transactions = 14,
          .queries = 15,
          .errors = 16,
          .from_clients_bytes = 17,
          .to_clients_bytes = 18,
          .from_servers_bytes = 19,
          .to_servers_bytes = 20,
          .client_parses = 21,
          .server_parses = 22,
          .binds = 23,
          .client_logins = 24,
          .server_connects = 25,
          .server_connects_without_extension = 30,
          .server_connect_failures = 26,
          .server_closes = 27,
          .setting_restores = 28,
          .pins = 29,
          .wait_time = ExampleHistogram(100),
          .transaction_time = ExampleHistogram(200),
          .query_time = ExampleHistogram(300)};
}

stats::PoolWindow ExampleWindow() {
  return {.leases_per_s = 1.5,
          .transactions_per_s = 2.5,
          .queries_per_s = 3.5,
          .errors_per_s = 4.5,
          .from_clients_bytes_per_s = 5.5,
          .to_clients_bytes_per_s = 6.5,
          .from_servers_bytes_per_s = 7.5,
          .to_servers_bytes_per_s = 8.5,
          .wait_time = stats::PercentilesOf(ExampleHistogram(100)),
          .transaction_time = stats::PercentilesOf(ExampleHistogram(200)),
          .query_time = stats::PercentilesOf(ExampleHistogram(300))};
}

stats::PoolSnapshot ExamplePool(std::string database, std::string user) {
  return {.database = std::move(database),
          .user = std::move(user),
          .pool_mode = "transaction",
          .now = {.clients_active = 1,
                  .clients_waiting = 2,
                  .clients_idle = 3,
                  .clients_pinned = 1,
                  .servers_active = 4,
                  .servers_idle = 5,
                  .servers_connecting = 6,
                  .servers_testing = 7,
                  .servers_canceling = 8,
                  .pool_size = 20,
                  .longest_wait_us = 250'000},
          .totals = ExampleTotals(),
          .window = ExampleWindow()};
}

stats::SessionCosts ExampleCosts() {
  return {.xact_commit_count = 31,
          .xact_rollback_count = 32,
          .statement_count = 33,
          .row_count = 34,
          .error_count = 35,
          .sent_bytes = 36,
          .block_hit_count = 37,
          .block_read_count = 38,
          .block_written_count = 39,
          .temp_bytes = 40,
          .wal_bytes = 41,
          .active_us = 42'000'000,
          .idle_us = 43'000'000,
          .idle_in_transaction_us = 44'000'000};
}

stats::UsageRow ExampleUsage(std::string name) {
  return {.name = std::move(name),
          .session_count = 9,
          .live_session_count = 1,
          .costs = ExampleCosts()};
}

std::shared_ptr<const stats::ExtensionSample> ExampleExtension() {
  auto sample = std::make_shared<stats::ExtensionSample>();
  sample->available = true;
  sample->sampled_at = WallTime{seconds(1'700'000'059)};
  sample->backends = {{.pid = 4711,
                       .database_name = "app",
                       .role_name = "alice",
                       .application_name = "psql",
                       .client_addr = "127.0.0.1",
                       .client_port = 50123,
                       .connection_kind = "agent",
                       .agent_name = "web-1",
                       .state = "idle",
                       .state_since = WallTime{seconds(1'700'000'050)},
                       .connected_at = WallTime{seconds(1'700'000'040)},
                       .login_us = 1234,
                       .costs = ExampleCosts()}};
  sample->usage_by_role = {ExampleUsage("alice")};
  sample->usage_by_database = {ExampleUsage("app")};
  sample->usage_by_application = {ExampleUsage("psql")};
  sample->summary = {.connections = 10,
                     .active = 4,
                     .idle = 3,
                     .idle_in_transaction = 2,
                     .agent_connections = 5,
                     .max_connections = 100,
                     .reserved_connections = 3,
                     .used_share = 0.1,
                     .highest_connections = 42,
                     .highest_at = WallTime{seconds(1'700'000'030)},
                     .started_at = WallTime{seconds(1'699'000'000)},
                     .session_count = 77,
                     .idle_session_ended_count = 6,
                     .idle_in_transaction_ended_count = 7,
                     .extension_version = "1.0"};
  return sample;
}

}  // namespace

std::shared_ptr<stats::Snapshot> ExampleSnapshot(std::uint64_t sequence) {
  auto snapshot = std::make_shared<stats::Snapshot>();
  snapshot->sequence = sequence;
  snapshot->time = WallTime{seconds(1'700'000'060)} + std::chrono::microseconds(250'000);
  snapshot->steady_time = Time{seconds(60)};
  snapshot->interval = seconds(1);
  snapshot->window = std::chrono::milliseconds(1001);
  snapshot->agent = ExampleAgent();
  snapshot->pools = {ExamplePool("app", "alice"), ExamplePool("app", "bob")};
  stats::ReportedPool reported;
  reported.application = "shop";
  reported.name = "orders";
  reported.instance = "web-1:7";
  reported.kind = "sqlalchemy";
  reported.target = "orders";
  reported.checkout_count = 90;
  reported.timeout_count = 1;
  reported.error_count = 2;
  reported.wait_us = 5000;
  reported.max_connections = 15;
  reported.in_use = 4;
  reported.idle = 3;
  reported.waiting = 2;
  snapshot->reported_pools = {{reported, 2'000'000}};
  snapshot->pins = {{.client = {.database = "app",
                                .user = "bob",
                                .client = "127.0.0.1:5000",
                                .application_name = "psql",
                                .server_pid = 4711,
                                .reasons = {{"temporary_objects", 2}}},
                     .age_us = 90'000'000}};
  snapshot->totals = ExampleTotals();
  snapshot->totals_window = ExampleWindow();
  snapshot->extension = ExampleExtension();
  snapshot->alerts = {{.name = "pool_utilization",
                       .severity = stats::Severity::kCritical,
                       .kind = "pool",
                       .component = "pool app/alice",
                       .database = "app",
                       .user = "alice",
                       .message = "20 of 20 server connections are in use (100 %)",
                       .recommendation = "Raise pool_size of this pool (now 20).",
                       .since = WallTime{seconds(1'700'000'010)},
                       .value = 100,
                       .threshold = 80,
                       .unit = "percent"},
                      {.name = "advice_leak",
                       .severity = stats::Severity::kWarning,
                       .kind = "backend",
                       .component = "backend 4711",
                       .database = "app",
                       .user = "alice",
                       .message = "unused for 1260 s after 3 statements",
                       .recommendation = "SELECT pg_terminate_backend(4711)",
                       .since = WallTime{seconds(1'700'000'020)},
                       .value = 1260,
                       .threshold = 600,
                       .unit = "seconds"}};
  return snapshot;
}

}  // namespace pgvalet::api

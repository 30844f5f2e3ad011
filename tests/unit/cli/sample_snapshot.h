// A snapshot with a bit of everything, for tests of what is drawn.
#pragma once

#include <string>

#include "cli/screen/line.h"
#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::cli {

constexpr std::int64_t kNow = 1800000000;  // seconds

inline v1::Pool* AddPool(v1::Snapshot* snapshot, const std::string& database,
                         const std::string& user) {
  v1::Pool* pool = snapshot->add_pools();
  pool->set_database(database);
  pool->set_user(user);
  pool->set_pool_mode("transaction");
  pool->mutable_now()->set_clients_active(12);
  pool->mutable_now()->set_clients_idle(105);
  pool->mutable_now()->set_servers_active(12);
  pool->mutable_now()->set_servers_idle(8);
  pool->mutable_now()->set_pool_size(20);
  v1::PoolWindow* window = pool->mutable_window();
  window->set_transactions_per_s(1234.5);
  window->set_queries_per_s(2345.6);
  window->mutable_wait_time()->set_value_count(1);
  window->mutable_wait_time()->set_p99_us(850);
  window->mutable_transaction_time()->set_value_count(1);
  window->mutable_transaction_time()->set_p99_us(4500);
  return pool;
}

inline void AddServer(v1::Snapshot* snapshot) {
  v1::Extension* extension = snapshot->mutable_extension();
  extension->set_available(true);
  extension->mutable_sampled_at()->set_seconds(kNow - 1);
  v1::ServerSummary* summary = extension->mutable_summary();
  summary->set_connections(45);
  summary->set_active(12);
  summary->set_idle(30);
  summary->set_idle_in_transaction(3);
  summary->set_agent_connections(40);
  summary->set_max_connections(100);
  summary->set_reserved_connections(3);
  summary->set_used_share(0.45);
  summary->set_highest_connections(60);
  summary->mutable_highest_at()->set_seconds(kNow - 7500);
  summary->set_extension_version("1.0");
}

inline v1::Backend* AddBackend(v1::Snapshot* snapshot, int pid, const std::string& state,
                               std::int64_t transactions) {
  v1::Backend* backend = snapshot->mutable_extension()->add_backends();
  backend->set_pid(pid);
  backend->set_database_name("app");
  backend->set_role_name("web");
  backend->set_application_name("worker");
  backend->set_connection_kind("direct");
  backend->set_state(state);
  backend->mutable_state_since()->set_seconds(kNow - 11);
  backend->mutable_connected_at()->set_seconds(kNow - 3601);
  backend->mutable_costs()->set_xact_commit_count(transactions);
  backend->mutable_costs()->set_active_us(transactions * 1000);
  return backend;
}

inline v1::Snapshot AgentSnapshot() {
  v1::Snapshot snapshot;
  snapshot.mutable_time()->set_seconds(kNow);
  v1::AgentHealth* agent = snapshot.mutable_agent();
  agent->set_version("0.1.0");
  agent->set_state(v1::AGENT_STATE_RUNNING);
  agent->set_listening(true);
  agent->mutable_started_at()->set_seconds(kNow - 90);
  agent->set_uptime_us(90'000'000);
  agent->set_clients(512);
  agent->set_clients_logging_in(3);
  agent->set_max_clients(1000);
  agent->set_resident_bytes(25 << 20);
  agent->set_open_fds(640);
  agent->set_max_fds(1024);
  agent->add_cores()->set_busy_share(0.12);
  agent->add_cores()->set_busy_share(0.001);
  return snapshot;
}

inline std::string PlainText(const Lines& lines) { return Render(lines, false); }

}  // namespace pgvalet::cli

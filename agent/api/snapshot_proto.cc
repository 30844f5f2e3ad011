#include "api/snapshot_proto.h"

#include "api/proto_time.h"
#include "api/reported_pool_proto.h"
#include "api/session_proto.h"
#include "base/clean_text.h"

namespace pgvalet::api {
namespace {

// Bytes of a sentence of ours that has names of others in it.
constexpr std::size_t kMaxSentence = 2000;

v1::AgentState StateOf(stats::AgentState state) {
  switch (state) {
    case stats::AgentState::kStarting:
      return v1::AGENT_STATE_STARTING;
    case stats::AgentState::kRunning:
      return v1::AGENT_STATE_RUNNING;
    case stats::AgentState::kDraining:
      return v1::AGENT_STATE_DRAINING;
  }
  return v1::AGENT_STATE_UNSPECIFIED;
}

void FillListening(const stats::ListeningStatus& channels, v1::Listening& message) {
  message.set_clients(channels.clients);
  message.set_channels(channels.channels);
  message.set_connections(channels.connections);
  message.set_connect_count(channels.connects);
  message.set_connect_failure_count(channels.connect_failures);
  message.set_connection_lost_count(channels.connections_lost);
  message.set_client_lost_count(channels.clients_lost);
  message.set_notification_count(channels.notifications);
  message.set_delivery_count(channels.deliveries);
}

void FillAgent(const stats::AgentHealth& agent, v1::AgentHealth& message) {
  message.set_version(agent.status.version);
  message.set_state(StateOf(agent.status.state));
  message.set_listening(agent.status.listening);
  SetTime(agent.status.started_at, message, &v1::AgentHealth::mutable_started_at);
  message.set_uptime_us(agent.uptime_us);
  SetTime(agent.status.settings_loaded_at, message, &v1::AgentHealth::mutable_settings_loaded_at);
  message.set_clients(agent.clients);
  message.set_clients_logging_in(agent.clients_logging_in);
  message.set_max_clients(agent.status.max_clients);
  message.set_accepted_count(agent.accepted);
  message.set_login_failure_count(agent.login_failures);
  message.set_refused_count(agent.refused);
  message.set_cancel_request_count(agent.cancel_requests);
  message.set_buffers_in_use(agent.buffers_in_use);
  message.set_buffer_bytes(agent.buffer_bytes);
  message.set_resident_bytes(agent.process.resident_bytes);
  message.set_open_fds(agent.process.open_fds);
  message.set_max_fds(agent.process.max_fds);
  message.set_cpu_user_us(agent.process.cpu_user_us);
  message.set_cpu_system_us(agent.process.cpu_system_us);
  FillListening(agent.status.channels, *message.mutable_channels());
  for (const stats::CoreSnapshot& core : agent.cores) {
    v1::Core& row = *message.add_cores();
    row.set_core(core.core);
    row.set_clients(core.clients);
    row.set_loop_wakeup_count(core.loop_wakeups);
    row.set_busy_us(core.busy_us);
    row.set_busy_share(core.busy_share);
  }
}

void FillHistogram(const HistogramData& data, v1::Histogram& message) {
  for (int i = 0; i < HistogramData::kBuckets; ++i) {
    const std::uint64_t count = data.count[static_cast<std::size_t>(i)];
    if (count == 0) continue;
    message.add_upper_bound_us(HistogramData::UpperBound(i));
    message.add_bucket_count(count);
  }
  message.set_sum_us(data.sum_us);
}

void FillTotals(const stats::PoolTotals& totals, v1::PoolTotals& message) {
  message.set_lease_count(totals.leases);
  message.set_lease_timeout_count(totals.lease_timeouts);
  message.set_lease_wait_count(totals.lease_waits);
  message.set_transaction_count(totals.transactions);
  message.set_query_count(totals.queries);
  message.set_error_count(totals.errors);
  message.set_from_clients_bytes(totals.from_clients_bytes);
  message.set_to_clients_bytes(totals.to_clients_bytes);
  message.set_from_servers_bytes(totals.from_servers_bytes);
  message.set_to_servers_bytes(totals.to_servers_bytes);
  message.set_client_parse_count(totals.client_parses);
  message.set_server_parse_count(totals.server_parses);
  message.set_bind_count(totals.binds);
  message.set_client_login_count(totals.client_logins);
  message.set_server_connect_count(totals.server_connects);
  message.set_server_connect_without_extension_count(totals.server_connects_without_extension);
  message.set_server_connect_failure_count(totals.server_connect_failures);
  message.set_server_close_count(totals.server_closes);
  message.set_setting_restore_count(totals.setting_restores);
  message.set_pin_count(totals.pins);
  FillHistogram(totals.wait_time, *message.mutable_wait_time());
  FillHistogram(totals.transaction_time, *message.mutable_transaction_time());
  FillHistogram(totals.query_time, *message.mutable_query_time());
}

void FillPercentiles(const stats::Percentiles& percentiles, v1::Percentiles& message) {
  message.set_value_count(percentiles.count);
  message.set_p50_us(percentiles.p50_us);
  message.set_p90_us(percentiles.p90_us);
  message.set_p99_us(percentiles.p99_us);
  message.set_max_us(percentiles.max_us);
}

void FillWindow(const stats::PoolWindow& window, v1::PoolWindow& message) {
  message.set_leases_per_s(window.leases_per_s);
  message.set_transactions_per_s(window.transactions_per_s);
  message.set_queries_per_s(window.queries_per_s);
  message.set_errors_per_s(window.errors_per_s);
  message.set_from_clients_bytes_per_s(window.from_clients_bytes_per_s);
  message.set_to_clients_bytes_per_s(window.to_clients_bytes_per_s);
  message.set_from_servers_bytes_per_s(window.from_servers_bytes_per_s);
  message.set_to_servers_bytes_per_s(window.to_servers_bytes_per_s);
  FillPercentiles(window.wait_time, *message.mutable_wait_time());
  FillPercentiles(window.transaction_time, *message.mutable_transaction_time());
  FillPercentiles(window.query_time, *message.mutable_query_time());
}

void FillGauges(const stats::PoolGauges& gauges, v1::PoolGauges& message) {
  message.set_clients_active(gauges.clients_active);
  message.set_clients_waiting(gauges.clients_waiting);
  message.set_clients_idle(gauges.clients_idle);
  message.set_servers_active(gauges.servers_active);
  message.set_servers_idle(gauges.servers_idle);
  message.set_servers_connecting(gauges.servers_connecting);
  message.set_servers_testing(gauges.servers_testing);
  message.set_servers_canceling(gauges.servers_canceling);
  message.set_pool_size(gauges.pool_size);
  message.set_longest_wait_us(gauges.longest_wait_us);
  message.set_clients_pinned(gauges.clients_pinned);
}

void FillPool(const stats::PoolSnapshot& pool, v1::Pool& message) {
  message.set_database(CleanText(pool.database));
  message.set_user(CleanText(pool.user));
  message.set_pool_mode(pool.pool_mode);
  FillGauges(pool.now, *message.mutable_now());
  FillTotals(pool.totals, *message.mutable_totals());
  FillWindow(pool.window, *message.mutable_window());
}

void FillPin(const stats::PinSnapshot& pin, v1::Pin& message) {
  message.set_database(CleanText(pin.client.database));
  message.set_user(CleanText(pin.client.user));
  message.set_client(pin.client.client);
  message.set_application_name(CleanText(pin.client.application_name));
  message.set_server_pid(pin.client.server_pid);
  for (const stats::PinReasonCount& reason : pin.client.reasons) {
    v1::PinReason& added = *message.add_reasons();
    added.set_reason(reason.reason);
    added.set_object_count(reason.objects);
  }
  message.set_age_us(pin.age_us);
}

v1::Severity SeverityOf(stats::Severity severity) {
  switch (severity) {
    case stats::Severity::kInfo:
      return v1::SEVERITY_INFO;
    case stats::Severity::kWarning:
      return v1::SEVERITY_WARNING;
    case stats::Severity::kCritical:
      return v1::SEVERITY_CRITICAL;
  }
  return v1::SEVERITY_UNSPECIFIED;
}

void FillAlert(const stats::Alert& alert, v1::Alert& message) {
  message.set_name(CleanText(alert.name));
  message.set_severity(SeverityOf(alert.severity));
  message.set_component(CleanText(alert.component));
  message.set_database(CleanText(alert.database));
  message.set_user(CleanText(alert.user));
  message.set_message(CleanText(alert.message, kMaxSentence));
  message.set_recommendation(CleanText(alert.recommendation, kMaxSentence));
  SetTime(alert.since, message, &v1::Alert::mutable_since);
  message.set_value(alert.value);
  message.set_threshold(alert.threshold);
  message.set_unit(alert.unit);
}

void FillBackend(const stats::BackendRow& row, v1::Backend& message) {
  FillSession(row, message);
  message.set_state(row.state);
  SetTime(row.state_since, message, &v1::Backend::mutable_state_since);
}

void FillUsage(const stats::UsageRow& row, v1::Usage& message) {
  message.set_name(row.name);
  message.set_session_count(row.session_count);
  message.set_live_session_count(row.live_session_count);
  FillProto(row.costs, *message.mutable_costs());
}

void FillSummary(const stats::SummaryRow& row, v1::ServerSummary& message) {
  message.set_connections(row.connections);
  message.set_active(row.active);
  message.set_idle(row.idle);
  message.set_idle_in_transaction(row.idle_in_transaction);
  message.set_agent_connections(row.agent_connections);
  message.set_max_connections(row.max_connections);
  message.set_reserved_connections(row.reserved_connections);
  message.set_used_share(row.used_share);
  message.set_highest_connections(row.highest_connections);
  SetTime(row.highest_at, message, &v1::ServerSummary::mutable_highest_at);
  SetTime(row.started_at, message, &v1::ServerSummary::mutable_started_at);
  message.set_session_count(row.session_count);
  message.set_idle_session_ended_count(row.idle_session_ended_count);
  message.set_idle_in_transaction_ended_count(row.idle_in_transaction_ended_count);
  message.set_extension_version(row.extension_version);
}

void FillExtension(const stats::ExtensionSample& sample, v1::Extension& message) {
  message.set_available(sample.available);
  message.set_reason(sample.reason);
  SetTime(sample.sampled_at, message, &v1::Extension::mutable_sampled_at);
  if (!sample.available) return;
  FillSummary(sample.summary, *message.mutable_summary());
  for (const auto& row : sample.backends) FillBackend(row, *message.add_backends());
  for (const auto& row : sample.usage_by_role) FillUsage(row, *message.add_usage_by_role());
  for (const auto& row : sample.usage_by_database) FillUsage(row, *message.add_usage_by_database());
  for (const auto& row : sample.usage_by_application) {
    FillUsage(row, *message.add_usage_by_application());
  }
}

}  // namespace

void FillProto(const stats::SessionCosts& costs, v1::SessionCosts& message) {
  message.set_xact_commit_count(costs.xact_commit_count);
  message.set_xact_rollback_count(costs.xact_rollback_count);
  message.set_statement_count(costs.statement_count);
  message.set_row_count(costs.row_count);
  message.set_error_count(costs.error_count);
  message.set_sent_bytes(costs.sent_bytes);
  message.set_block_hit_count(costs.block_hit_count);
  message.set_block_read_count(costs.block_read_count);
  message.set_block_written_count(costs.block_written_count);
  message.set_temp_bytes(costs.temp_bytes);
  message.set_wal_bytes(costs.wal_bytes);
  message.set_active_us(costs.active_us);
  message.set_idle_us(costs.idle_us);
  message.set_idle_in_transaction_us(costs.idle_in_transaction_us);
}

void FillProto(const stats::PoolGauges& gauges, v1::PoolGauges& message) {
  FillGauges(gauges, message);
}

void FillProto(const stats::PoolWindow& window, v1::PoolWindow& message) {
  FillWindow(window, message);
}

void FillProto(const stats::Snapshot& snapshot, v1::Snapshot& message) {
  message.set_sequence(snapshot.sequence);
  SetTime(snapshot.time, message, &v1::Snapshot::mutable_time);
  message.set_interval_us(snapshot.interval.count());
  message.set_window_us(snapshot.window.count());
  FillAgent(snapshot.agent, *message.mutable_agent());
  for (const stats::PoolSnapshot& pool : snapshot.pools) FillPool(pool, *message.add_pools());
  FillTotals(snapshot.totals, *message.mutable_totals());
  for (const stats::PinSnapshot& pin : snapshot.pins) FillPin(pin, *message.add_pins());
  for (const stats::ReportedPoolSnapshot& reported : snapshot.reported_pools) {
    v1::ReportedPool& added = *message.add_reported_pools();
    FillProto(reported.pool, added);
    added.set_age_us(reported.age_us);
  }
  FillWindow(snapshot.totals_window, *message.mutable_totals_window());
  FillExtension(*snapshot.extension, *message.mutable_extension());
  for (const stats::Alert& alert : snapshot.alerts) FillAlert(alert, *message.add_alerts());
}

}  // namespace pgvalet::api

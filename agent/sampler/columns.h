// Columns: the one list of what is read from which view.
//
// VisitColumns(row, visit) calls visit("column", row.member) for every column, in
// order.  queries.cc makes the SELECT lists of it, decode.cc the rows, so the two
// cannot drift apart.  The casts to fixed types follow from the members' types.
#pragma once

#include "stats/event.h"
#include "stats/extension_sample.h"
#include "stats/server_records.h"

namespace pgvalet::sampler {

// An event as a row of the extension; `event` is whole once it is decoded.
struct ExtensionEvent {
  std::int64_t sequence = 0;
  std::int32_t pid = 0;
  std::int32_t is_dry_run = 0;
  stats::Event event;
};

template <typename Visit>
void VisitCosts(stats::SessionCosts& costs, Visit&& visit) {
  visit("xact_commit_count", costs.xact_commit_count);
  visit("xact_rollback_count", costs.xact_rollback_count);
  visit("statement_count", costs.statement_count);
  visit("row_count", costs.row_count);
  visit("error_count", costs.error_count);
  visit("sent_bytes", costs.sent_bytes);
  visit("block_hit_count", costs.block_hit_count);
  visit("block_read_count", costs.block_read_count);
  visit("block_written_count", costs.block_written_count);
  visit("temp_bytes", costs.temp_bytes);
  visit("wal_bytes", costs.wal_bytes);
  visit("active_us", costs.active_us);
  visit("idle_us", costs.idle_us);
  visit("idle_in_transaction_us", costs.idle_in_transaction_us);
}

// Who has a session, from where: of one that lives, and of one that has ended.
template <typename Row, typename Visit>
void VisitSession(Row& row, Visit&& visit) {
  visit("pid", row.pid);
  visit("database_name", row.database_name);
  visit("role_name", row.role_name);
  visit("application_name", row.application_name);
  visit("client_addr", row.client_addr);
  visit("client_port", row.client_port);
  visit("connection_kind", row.connection_kind);
  visit("agent_name", row.agent_name);
  visit("connected_at", row.connected_at);
  visit("login_us", row.login_us);
  VisitCosts(row.costs, visit);
}

template <typename Visit>
void VisitColumns(stats::BackendRow& row, Visit&& visit) {
  VisitSession(row, visit);
  visit("state", row.state);
  visit("state_since", row.state_since);
}

// `name_column` is role_name, database_name or application_name.
template <typename Visit>
void VisitColumns(stats::UsageRow& row, const char* name_column, Visit&& visit) {
  visit(name_column, row.name);
  visit("session_count", row.session_count);
  visit("live_session_count", row.live_session_count);
  VisitCosts(row.costs, visit);
}

template <typename Visit>
void VisitColumns(stats::SummaryRow& row, Visit&& visit) {
  visit("connections", row.connections);
  visit("active", row.active);
  visit("idle", row.idle);
  visit("idle_in_transaction", row.idle_in_transaction);
  visit("agent_connections", row.agent_connections);
  visit("max_connections", row.max_connections);
  visit("reserved_connections", row.reserved_connections);
  visit("used_share", row.used_share);
  visit("highest_connections", row.highest_connections);
  visit("highest_at", row.highest_at);
  visit("started_at", row.started_at);
  visit("session_count", row.session_count);
  visit("idle_session_ended_count", row.idle_session_ended_count);
  visit("idle_in_transaction_ended_count", row.idle_in_transaction_ended_count);
  visit("extension_version", row.extension_version);
}

// Of events_since(), which has the names beside it.  `sequence` is the extension's own.
template <typename Visit>
void VisitColumns(ExtensionEvent& row, Visit&& visit) {
  visit("sequence", row.sequence);
  visit("at", row.event.at);
  visit("kind", row.event.kind);
  visit("pid", row.pid);
  visit("database_name", row.event.database);
  visit("role_name", row.event.user);
  visit("application_name", row.event.application_name);
  visit("client", row.event.client);
  visit("rule_name", row.event.rule);
  visit("is_dry_run", row.is_dry_run);
  visit("message", row.event.message);
}

template <typename Visit>
void VisitColumns(stats::AdviceRow& row, Visit&& visit) {
  visit("severity", row.severity);
  visit("rule", row.rule);
  visit("subject", row.subject);
  visit("finding", row.finding);
  visit("action", row.action);
}

// Of pgvalet.sessions.
template <typename Visit>
void VisitColumns(stats::EndedSession& row, Visit&& visit) {
  visit("sequence", row.sequence);
  VisitSession(row, visit);
  visit("ended_at", row.ended_at);
  visit("how_ended", row.how_ended);
  visit("end_rule", row.end_rule);
  visit("end_sqlstate", row.end_sqlstate);
  visit("cpu_user_us", row.cpu_user_us);
  visit("cpu_system_us", row.cpu_system_us);
}

template <typename Visit>
void VisitColumns(stats::Distribution& row, Visit&& visit) {
  visit("dimension", row.dimension);
  visit("name", row.name);
  visit("measure", row.measure);
  visit("count", row.count);
  visit("sum_us", row.sum_us);
  visit("p50_us", row.p50_us);
  visit("p90_us", row.p90_us);
  visit("p95_us", row.p95_us);
  visit("p99_us", row.p99_us);
  visit("max_us", row.max_us);
}

// Of pgvalet.histogram(), with what it was asked for.
struct BucketRow {
  std::string dimension;
  std::string measure;
  stats::DistributionBucket bucket;
};

template <typename Visit>
void VisitColumns(BucketRow& row, Visit&& visit) {
  visit("dimension", row.dimension);
  visit("measure", row.measure);
  visit("lowest_us", row.bucket.lowest_us);
  visit("highest_us", row.bucket.highest_us);
  visit("count", row.bucket.count);
}

// Of pgvalet.history.
template <typename Visit>
void VisitColumns(stats::ServerMinute& row, Visit&& visit) {
  visit("started_at", row.started_at);
  visit("ended_at", row.ended_at);
  visit("connections", row.connections);
  visit("active", row.active);
  visit("idle", row.idle);
  visit("idle_in_transaction", row.idle_in_transaction);
  visit("agent_connections", row.agent_connections);
  visit("highest_connections", row.highest_connections);
  visit("login_count", row.login_count);
  visit("failed_login_count", row.failed_login_count);
  visit("ended_client_count", row.ended_client_count);
  visit("ended_abandoned_count", row.ended_abandoned_count);
  visit("ended_killed_count", row.ended_killed_count);
  visit("ended_policy_count", row.ended_policy_count);
  visit("ended_error_count", row.ended_error_count);
  visit("ended_crash_count", row.ended_crash_count);
  visit("xact_commit_count", row.xact_commit_count);
  visit("xact_rollback_count", row.xact_rollback_count);
  visit("statement_count", row.statement_count);
  visit("error_count", row.error_count);
  visit("read_bytes", row.read_bytes);
  visit("written_bytes", row.written_bytes);
  visit("temp_bytes", row.temp_bytes);
  visit("wal_bytes", row.wal_bytes);
  visit("active_us", row.active_us);
}

}  // namespace pgvalet::sampler

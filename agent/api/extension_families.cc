// Metric families of what the extension says: the server's connections, and what roles and
// databases cost.
//
// Not here: backends and applications.  Their names come and go (application_name is whatever a
// client says), and each would be a series for ever; gRPC and SQL have them.
#include <cstdint>

#include "api/metric_builder.h"

namespace pgvalet::api {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using stats::SessionCosts;
using stats::SummaryRow;
using stats::UsageRow;

void AddSummary(Families& families, const SummaryRow& row) {
  MetricFamily& connections =
      AddFamily(families, "pgvalet_postgres_connections",
                "Client backends by state; the sum is all of them.", MetricType::Gauge);
  const auto add = [&](const char* state, std::int64_t count) {
    AddValue(connections, {{"state", state}}, static_cast<double>(count));
  };
  add("active", row.active);
  add("idle", row.idle);
  add("idle in transaction", row.idle_in_transaction);
  add("other", row.connections - row.active - row.idle - row.idle_in_transaction);
  AddGauge(families, "pgvalet_postgres_agent_connections", "Client backends of agents.",
           row.agent_connections);
  AddGauge(families, "pgvalet_postgres_max_connections", "The server's max_connections.",
           row.max_connections);
  AddGauge(families, "pgvalet_postgres_reserved_connections",
           "Connections kept back for superusers and reserved roles.", row.reserved_connections);
  AddGauge(families, "pgvalet_postgres_used_ratio",
           "Connections divided by max_connections, 0 to 1.", row.used_share);
  AddGauge(families, "pgvalet_postgres_highest_connections",
           "Most connections at one moment since server start.", row.highest_connections);
  AddGauge(families, "pgvalet_postgres_highest_connections_timestamp_seconds",
           "When that was, Unix time.", Seconds(row.highest_at));
  AddGauge(families, "pgvalet_postgres_start_time_seconds",
           "When the server began counting, Unix time.", Seconds(row.started_at));
  AddCounter(families, "pgvalet_postgres_sessions_total", "Sessions since server start.",
             row.session_count);
  AddCounter(families, "pgvalet_postgres_idle_sessions_ended_total",
             "Sessions ended by pgvalet.idle_session_timeout.", row.idle_session_ended_count);
  AddCounter(families, "pgvalet_postgres_idle_in_transaction_sessions_ended_total",
             "Sessions ended by pgvalet.idle_in_transaction_timeout.",
             row.idle_in_transaction_ended_count);
}

// One cost; the family's name is pgvalet_<role or database>_<name>.
struct CostMetric {
  const char* name;
  const char* help;
  std::int64_t SessionCosts::*value;
  bool is_time;  // microseconds, told as seconds
};

constexpr CostMetric kCosts[] = {
    {"commits_total", "Transactions committed.", &SessionCosts::xact_commit_count, false},
    {"rollbacks_total", "Transactions rolled back.", &SessionCosts::xact_rollback_count, false},
    {"statements_total", "Statements completed.", &SessionCosts::statement_count, false},
    {"rows_total", "Rows returned or changed.", &SessionCosts::row_count, false},
    {"errors_total", "Errors sent to clients.", &SessionCosts::error_count, false},
    {"sent_bytes_total", "Bytes sent to clients.", &SessionCosts::sent_bytes, false},
    {"blocks_hit_total", "Blocks found in buffers.", &SessionCosts::block_hit_count, false},
    {"blocks_read_total", "Blocks read from the operating system.", &SessionCosts::block_read_count,
     false},
    {"blocks_written_total", "Blocks written by backends.", &SessionCosts::block_written_count,
     false},
    {"temp_bytes_total", "Bytes written to temporary files.", &SessionCosts::temp_bytes, false},
    {"wal_bytes_total", "Bytes of WAL made.", &SessionCosts::wal_bytes, false},
    {"active_seconds_total", "Time working on commands.", &SessionCosts::active_us, true},
    {"idle_seconds_total", "Time waiting for a command outside a transaction.",
     &SessionCosts::idle_us, true},
    {"idle_in_transaction_seconds_total", "Time waiting for a command inside a transaction.",
     &SessionCosts::idle_in_transaction_us, true},
};

// `of`: what the rows are usage of, and the name of their label.
void AddUsage(Families& families, const std::string& of, const std::vector<UsageRow>& rows) {
  const auto add = [&](const std::string& name, const char* help,
                       MetricType type) -> MetricFamily& {
    return AddFamily(families, ("pgvalet_" + of + "_" + name).c_str(), help, type);
  };
  const auto labels = [&](const UsageRow& row) { return Labels{{of, row.name}}; };

  MetricFamily& sessions =
      add("sessions_total", "Sessions since server start.", MetricType::Counter);
  for (const UsageRow& row : rows) {
    AddValue(sessions, labels(row), static_cast<double>(row.session_count));
  }
  MetricFamily& live = add("live_sessions", "Sessions now.", MetricType::Gauge);
  for (const UsageRow& row : rows) {
    AddValue(live, labels(row), static_cast<double>(row.live_session_count));
  }
  for (const CostMetric& cost : kCosts) {
    MetricFamily& family = add(cost.name, cost.help, MetricType::Counter);
    for (const UsageRow& row : rows) {
      const std::int64_t value = row.costs.*cost.value;
      AddValue(family, labels(row), cost.is_time ? Seconds(value) : static_cast<double>(value));
    }
  }
}

}  // namespace

void AddExtensionFamilies(Families& families, const stats::ExtensionSample& sample) {
  AddGauge(families, "pgvalet_extension_available",
           "1 when the extension could be read; 0: the families below are missing.",
           sample.available ? 1 : 0);
  AddGauge(families, "pgvalet_extension_sampled_timestamp_seconds",
           "When the extension was last read or tried, Unix time.", Seconds(sample.sampled_at));
  if (!sample.available) return;
  AddGauge(families, "pgvalet_extension_info", "1; the version is a label.", 1,
           {{"version", sample.summary.extension_version}});
  AddSummary(families, sample.summary);
  AddUsage(families, "role", sample.usage_by_role);
  AddUsage(families, "database", sample.usage_by_database);
}

}  // namespace pgvalet::api

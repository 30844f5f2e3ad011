// ExtensionSample: what the extension said when it was last read.
//
// Made by     the sampler, once per sampler_interval, from the views of schema pgvalet.
// Read by     the snapshot thread, which puts it into the next Snapshot.
// Lifetime    immutable once handed over as std::shared_ptr<const ExtensionSample>.
//
// Members carry the name and unit of the view column they come from (docs/metrics.md).
// A NULL becomes the value that the member's comment names.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pgvalet::stats {

// A moment on the wall clock.  WallTime{} (the epoch) means: none, or not known.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

inline WallTime WallNow() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

// What sessions cost.  Of one backend: since it connected.  Of a role, database or
// application: since server start, sessions that have ended included.
struct SessionCosts {
  std::int64_t xact_commit_count = 0;    // transactions committed
  std::int64_t xact_rollback_count = 0;  // transactions rolled back
  std::int64_t statement_count = 0;      // statements completed; failed ones count in error_count
  std::int64_t row_count = 0;            // rows returned or changed
  std::int64_t error_count = 0;          // errors sent to the client
  std::int64_t sent_bytes = 0;           // bytes sent to the client
  std::int64_t block_hit_count = 0;      // blocks found in shared buffers
  std::int64_t block_read_count = 0;     // blocks asked from the operating system
  std::int64_t block_written_count = 0;  // blocks written by the backend itself
  std::int64_t temp_bytes = 0;           // written to temporary files
  std::int64_t wal_bytes = 0;            // WAL made
  std::int64_t active_us = 0;            // working on commands
  std::int64_t idle_us = 0;              // waiting for a command, no transaction open
  std::int64_t idle_in_transaction_us = 0;  // the same inside a transaction

  bool operator==(const SessionCosts&) const = default;
};

// One row of pgvalet.backends.
struct BackendRow {
  std::int32_t pid = 0;
  std::string database_name;     // empty: none (background process)
  std::string role_name;         // session user; empty: none
  std::string application_name;  // empty: not set
  std::string client_addr;       // numeric address; empty: Unix socket
  std::int32_t client_port = 0;  // -1: Unix socket
  std::string connection_kind;   // "agent" or "direct"
  std::string agent_name;        // which agent, when kind is "agent"; else empty
  std::string state;             // "active", "idle", "idle in transaction", ...
  WallTime state_since{};
  WallTime connected_at{};
  std::int64_t login_us = 0;  // from connection start to ready; 0: not known
  SessionCosts costs;
};

// One row of pgvalet.usage_by_role, _by_database or _by_application.
struct UsageRow {
  std::string name;                     // role_name, database_name or application_name
  std::int64_t session_count = 0;       // sessions since server start, live ones included
  std::int64_t live_session_count = 0;  // connected now
  SessionCosts costs;
};

// The row of pgvalet.summary.
struct SummaryRow {
  std::int64_t connections = 0;           // client backends now
  std::int64_t active = 0;                // of these, executing
  std::int64_t idle = 0;                  // of these, without a transaction
  std::int64_t idle_in_transaction = 0;   // of these, in a transaction and waiting for the client
  std::int64_t agent_connections = 0;     // of these, made by an agent
  std::int64_t max_connections = 0;       // the server's limit
  std::int64_t reserved_connections = 0;  // kept back for superusers and reserved roles
  double used_share = 0;                  // connections / max_connections, 0..1
  std::int64_t highest_connections = 0;   // most at one moment since server start
  WallTime highest_at{};                  // when that was
  WallTime started_at{};                  // when the server began counting
  std::int64_t session_count = 0;         // sessions since server start
  std::int64_t idle_session_ended_count = 0;         // ended by pgvalet.idle_session_timeout
  std::int64_t idle_in_transaction_ended_count = 0;  // by pgvalet.idle_in_transaction_timeout
  std::string extension_version;
};

// One row of pgvalet.advice.
struct AdviceRow {
  std::string severity;  // "info", "warning", "critical"
  std::string rule;
  std::string subject;  // "server", "application 'shop'", "backend 4711", ...
  std::string finding;
  std::string action;
};

struct ExtensionSample {
  // False: the vectors and the summary are empty and `reason` is a sentence that says
  // why ("the extension pgvalet is not installed in database app").
  bool available = false;
  std::string reason;

  WallTime sampled_at{};  // when the views were read, or when that was last tried

  std::vector<BackendRow> backends;
  std::vector<UsageRow> usage_by_role;
  std::vector<UsageRow> usage_by_database;
  std::vector<UsageRow> usage_by_application;
  SummaryRow summary;

  // Read less often than the rest, the most severe first; null: not read, or an extension that has
  // no advice.
  std::shared_ptr<const std::vector<AdviceRow>> advice;
};

}  // namespace pgvalet::stats

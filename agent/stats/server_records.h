// What the extension keeps of the past, as it is asked for now and then; not part of snapshots.
//
// Made by   sampler/inquiry.h, when somebody asks.
// Read by   gRPC and HTTP, on the thread of the call.
// Units and meanings are those of proto/pgvalet/v1/server.proto.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stats/extension_sample.h"

namespace pgvalet::stats {

// Which ended sessions; empty members match all.
struct EndedSessionFilter {
  std::string database;
  std::string user;
  std::string application_name;
  int limit = 100;
};

// One row of pgvalet.sessions.
struct EndedSession {
  std::int64_t sequence = 0;
  std::int32_t pid = 0;
  std::string database_name;
  std::string role_name;
  std::string application_name;
  std::string client_addr;  // numeric address; empty: Unix socket
  std::int32_t client_port = 0;
  std::string connection_kind;
  std::string agent_name;
  WallTime connected_at{};
  WallTime ended_at{};
  std::string how_ended;
  std::string end_rule;      // empty: none
  std::string end_sqlstate;  // empty: none, or not known
  std::int64_t login_us = 0;
  std::int64_t cpu_user_us = 0;
  std::int64_t cpu_system_us = 0;
  SessionCosts costs;
};

// What distributions there are of each role, database and application.
inline constexpr std::array<std::string_view, 5> kMeasures = {
    "statement", "transaction", "idle_in_transaction", "session", "login"};

// Whose distributions; with no name at all those of everybody, without buckets.
struct DistributionFilter {
  std::string database;
  std::string role;
  std::string application_name;
  std::string measure;  // one of kMeasures, or empty: all

  bool HasName() const { return !(database.empty() && role.empty() && application_name.empty()); }
};

struct DistributionBucket {
  std::int64_t lowest_us = 0;
  std::int64_t highest_us = -1;  // -1: without end
  std::int64_t count = 0;
};

// One row of pgvalet.distributions.
struct Distribution {
  std::string dimension;  // "role", "database" or "application"
  std::string name;
  std::string measure;
  std::int64_t count = 0;
  std::int64_t sum_us = 0;
  std::int64_t p50_us = 0;
  std::int64_t p90_us = 0;
  std::int64_t p95_us = 0;
  std::int64_t p99_us = 0;
  std::int64_t max_us = 0;
  std::vector<DistributionBucket> buckets;  // shortest times first
};

// One row of pgvalet.history.
struct ServerMinute {
  WallTime started_at{};
  WallTime ended_at{};
  std::int64_t connections = 0;
  std::int64_t active = 0;
  std::int64_t idle = 0;
  std::int64_t idle_in_transaction = 0;
  std::int64_t agent_connections = 0;
  std::int64_t highest_connections = 0;
  std::int64_t login_count = 0;
  std::int64_t failed_login_count = 0;
  std::int64_t ended_client_count = 0;
  std::int64_t ended_abandoned_count = 0;
  std::int64_t ended_killed_count = 0;
  std::int64_t ended_policy_count = 0;
  std::int64_t ended_error_count = 0;
  std::int64_t ended_crash_count = 0;
  std::int64_t xact_commit_count = 0;
  std::int64_t xact_rollback_count = 0;
  std::int64_t statement_count = 0;
  std::int64_t error_count = 0;
  std::int64_t read_bytes = 0;
  std::int64_t written_bytes = 0;
  std::int64_t temp_bytes = 0;
  std::int64_t wal_bytes = 0;
  std::int64_t active_us = 0;
};

}  // namespace pgvalet::stats

// LoadPlan: which load is put on pool and server.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace pgvalet::cli::loadtest {

// What one request is.
enum class Script : std::uint8_t {
  kConnect,      // connect, the query, disconnect
  kQuery,        // the query on a connection that is kept
  kTransaction,  // BEGIN, the query and COMMIT, three round trips, on a connection that is kept
};

struct LoadPlan {
  std::int64_t requests = 1000;
  Duration duration = std::chrono::seconds(10);  // over which their beginnings are spread evenly
  int clients = 50;                              // requests under way at one time, at most
  Script script = Script::kConnect;
  std::string query = "SELECT 1";
  Duration request_timeout = std::chrono::seconds(10);
};

// "connect", "query", "transaction".
const char* ScriptName(Script script);

// The statements of one request, sent one after the other.
std::vector<std::string> StatementsOf(const LoadPlan& plan);

// How long after the beginning of the run request `number` (0, 1, ...) is due.
Duration DueAfter(const LoadPlan& plan, std::int64_t number);

}  // namespace pgvalet::cli::loadtest

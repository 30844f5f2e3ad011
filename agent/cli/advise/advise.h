// What `pgvalet advise` does: measures an agent, or counts what is planned.
#pragma once

#include <cstdint>
#include <optional>

#include "advice/pool_size.h"
#include "cli/command.h"

namespace pgvalet::cli::advise {

struct AdviseOptions {
  Duration measure = std::chrono::seconds(10);
  advice::WaitGoal goal;
  // Planned, when there are workers; the agent is asked for what is missing.
  std::optional<std::int64_t> workers;
  std::int64_t connections_per_worker = 1;
  std::optional<std::int64_t> max_connections;
  std::optional<std::int64_t> reserved;
  std::int64_t pools = 1;
};

// Prints the report; returns what the process returns.
int RunAdvise(const Common& common, const AdviseOptions& options);

}  // namespace pgvalet::cli::advise

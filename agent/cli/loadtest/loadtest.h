// What `pgvalet loadtest` does: one load past the pool and through it, compared.
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/loadtest/plan.h"

namespace pgvalet::cli::loadtest {

struct LoadTestOptions {
  LoadPlan plan;
  std::string pool_uri;    // libpq's
  std::string direct_uri;  // libpq's, past the pool; empty: the pool alone
  double fail_under = 0;   // percent of requests through the pool that have to succeed
};

// Prints the report; returns what the process returns.
int RunLoadTest(const Common& common, const LoadTestOptions& options);

}  // namespace pgvalet::cli::loadtest

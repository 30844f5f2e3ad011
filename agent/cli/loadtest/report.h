// What `pgvalet loadtest` says at its end; pure.
#pragma once

#include <optional>
#include <string>

#include "cli/loadtest/plan.h"
#include "cli/loadtest/tally.h"
#include "cli/screen/line.h"

namespace pgvalet::cli::loadtest {

struct Report {
  LoadPlan plan;
  RunResult pool;
  std::optional<RunResult> direct;
};

// Side by side, and the outcome in a sentence.
Lines ReportLines(const Report& report, int width);
std::string OutcomeOf(const Report& report);

// {"plan": ..., "pool": ..., "direct": ..., "outcome": ...}; what is not known is null.
std::string ReportToJson(const Report& report);

}  // namespace pgvalet::cli::loadtest

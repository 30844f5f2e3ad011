// What `pgvalet advise` says: sizes of pools, with the arithmetic; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "advice/pool_size.h"
#include "base/clock.h"
#include "cli/screen/line.h"
#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::cli::advise {

// One pool, and what it did while it was measured.
struct PoolAdvice {
  std::string database;
  std::string user;
  std::string pool_mode;
  std::int64_t pool_size = 0;  // as it is
  advice::Load load;
  std::optional<std::int64_t> advised_size;  // absent: nothing can be advised, see the arithmetic
  std::vector<std::string> arithmetic;
};

struct MeasuredReport {
  Duration measured{0};
  advice::WaitGoal goal;
  std::vector<PoolAdvice> pools;
  // What ordinary roles may have on the server; absent: not known.
  std::optional<std::int64_t> room;
};

// Of two snapshots of one run of the agent.  REQUIRES: `later` is later.
MeasuredReport Measure(const v1::Snapshot& earlier, const v1::Snapshot& later,
                       const advice::WaitGoal& goal);

Lines ReportLines(const MeasuredReport& report, int width);
std::string ReportToJson(const MeasuredReport& report);

struct PlannedReport {
  advice::Fleet fleet;
  std::string source;  // where max_connections is from: "as given", "as the agent says"
  advice::FleetAdvice advice;
};

Lines ReportLines(const PlannedReport& report);
std::string ReportToJson(const PlannedReport& report);

}  // namespace pgvalet::cli::advise

// What the extension says, as tables; pure.
//
// Counters become rates by comparing with an earlier snapshot; without one, or for a
// row that was not there, the rate is "-".
#pragma once

#include "cli/screen/sorted_table.h"
#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::cli {

enum class UsageBy { kRole, kDatabase, kApplication };

// "role", "database", "application".
const char* UsageByName(UsageBy by);

// One row per backend.  `before` may be null.
SortedTable BackendsTable(const v1::Snapshot& now, const v1::Snapshot* before);

// The same with the rates of each backend's whole life, for one who looks once.
SortedTable BackendAveragesTable(const v1::Snapshot& now);

// One row per role, database or application.  `before` may be null.
SortedTable UsageTable(const v1::Snapshot& now, const v1::Snapshot* before, UsageBy by);

}  // namespace pgvalet::cli

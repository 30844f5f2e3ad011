// The pools of a snapshot as a table; pure.
#pragma once

#include "cli/screen/sorted_table.h"
#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::cli {

// One row per pool.
SortedTable PoolsTable(const v1::Snapshot& snapshot);

}  // namespace pgvalet::cli

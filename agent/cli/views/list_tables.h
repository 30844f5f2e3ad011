// What a snapshot lists besides pools and backends; pure.
#pragma once

#include <string>

#include "cli/screen/line.h"
#include "cli/screen/sorted_table.h"
#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::cli {

// Clients that keep their server connection between transactions, and why.
SortedTable PinsTable(const v1::Snapshot& snapshot);

// Pools of applications that reported them.
SortedTable ReportedPoolsTable(const v1::Snapshot& snapshot);

// What needs somebody's eye, and what to do, in the order of the snapshot; empty: nothing does.
Lines AlertLines(const v1::Snapshot& snapshot);

// "temporary objects (2), advisory locks".
std::string ReasonsText(const v1::Pin& pin);

}  // namespace pgvalet::cli

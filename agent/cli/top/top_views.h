// What each view of `pgvalet top` shows below the head; pure.
#pragma once

#include <string>

#include "cli/screen/line.h"
#include "cli/screen/sorted_table.h"
#include "cli/top/top_screen.h"
#include "cli/top/top_state.h"

namespace pgvalet::cli {

// "clients of pool shop/web", "usage by role".
std::string ViewName(const TopState& state);

// The rows of the view, sorted as the user wants them.
// REQUIRES: data.now; the view is not kBackend, which has no rows.
SortedTable TableOf(const TopData& data, const TopState& state);

// Why a table has no rows.
std::string EmptyText(const TopData& data, const TopState& state);

// Everything about one backend (View::kBackend).  REQUIRES: data.now.
Lines BackendPage(const TopData& data, std::int64_t server_pid);

}  // namespace pgvalet::cli

// The page that `pgvalet status` prints; pure.
#pragma once

#include <string>

#include "cli/screen/line.h"
#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::cli {

// `address` is where the agent was asked; `width` in columns.
Lines StatusPage(const v1::Snapshot& snapshot, const std::string& address, int width);

}  // namespace pgvalet::cli

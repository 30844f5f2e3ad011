// A snapshot in which no number is 0 and no text is empty, and ways to make small ones.
#pragma once

#include "stats/snapshot.h"

namespace pgvalet::api {

// Two pools, two cores, one row in each list of the extension.
std::shared_ptr<stats::Snapshot> ExampleSnapshot(std::uint64_t sequence = 1);

}  // namespace pgvalet::api

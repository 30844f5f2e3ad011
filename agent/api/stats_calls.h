// The unary calls of pgvalet.v1.Stats, over snapshots.
#pragma once

#include "api/calls.h"
#include "stats/hub.h"

namespace pgvalet::api {

// `hub` outlives the calls.
void AddStatsCalls(Calls& calls, const stats::SnapshotHub& hub);

}  // namespace pgvalet::api

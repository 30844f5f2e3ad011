// The unary calls of pgvalet.v1.Stats, over snapshots.
#pragma once

#include "api/calls.h"
#include "stats/history.h"
#include "stats/hub.h"

namespace pgvalet::api {

// Both outlive the calls.
void AddStatsCalls(Calls& calls, const stats::SnapshotHub& hub, const stats::History& history);

}  // namespace pgvalet::api

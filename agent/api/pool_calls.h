// The calls of pgvalet.v1.Pools.
#pragma once

#include "api/calls.h"
#include "stats/reported_pools.h"

namespace pgvalet::api {

// `pools` outlives the calls.
void AddPoolCalls(Calls& calls, stats::ReportedPools& pools);

}  // namespace pgvalet::api

// Reported pools as messages of pgvalet.v1, and back.
#pragma once

#include "pgvalet/v1/stats.pb.h"
#include "stats/reported_pools.h"

namespace pgvalet::api {

// All but age_us.
void FillProto(const stats::ReportedPool& pool, v1::ReportedPool& message);

stats::ReportedPool FromProto(const v1::ReportedPool& message);

}  // namespace pgvalet::api

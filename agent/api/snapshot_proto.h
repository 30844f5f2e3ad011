// A Snapshot as the message pgvalet.v1.Snapshot.
#pragma once

#include "pgvalet/v1/stats.pb.h"
#include "stats/snapshot.h"

namespace pgvalet::api {

// Fills an empty message.
void FillProto(const stats::Snapshot& snapshot, v1::Snapshot& message);
void FillProto(const stats::SessionCosts& costs, v1::SessionCosts& message);
void FillProto(const stats::PoolGauges& gauges, v1::PoolGauges& message);
void FillProto(const stats::PoolWindow& window, v1::PoolWindow& message);

}  // namespace pgvalet::api

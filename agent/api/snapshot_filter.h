// What a caller wants of snapshots.
#pragma once

#include <grpcpp/support/status.h>

#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::api {

// INVALID_ARGUMENT: fields names one that Snapshot does not have.
grpc::Status Check(const v1::SnapshotFilter& filter);

// Takes out of a snapshot what the filter does not want.
// REQUIRES: Check(filter) is OK.
void Apply(const v1::SnapshotFilter& filter, v1::Snapshot& snapshot);

}  // namespace pgvalet::api

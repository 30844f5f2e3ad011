// Queries: what the sampler asks the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sampler/connection.h"
#include "stats/server_records.h"

namespace pgvalet::sampler {

// Rows of one view that are kept; the server is asked for one more, to notice the rest.
constexpr std::size_t kMaxRows = 5000;

// One row: the installed version of the extension, or NULL when it is not installed.
const std::vector<Statement>& ProbeStatements();

// backends, usage_by_role, usage_by_database, usage_by_application, summary.
const std::vector<Statement>& SampleStatements();

// Events that are read at a time.
constexpr std::size_t kMaxEvents = 1000;

// Events of the extension from this sequence number on, it included, oldest first, at most
// kMaxEvents.
Statement EventsStatement(std::int64_t from);
// Rows of advice that are read.
constexpr std::size_t kMaxAdvice = 100;

// advice; extensions of version 1.0 have none.
const std::vector<Statement>& AdviceStatements();

// Of an inquiry (sampler/inquiry.h).
Statement EndedSessionsStatement(const stats::EndedSessionFilter& filter);
Statement DistributionsStatement(const stats::DistributionFilter& filter);
// REQUIRES: filter.HasName().
Statement BucketsStatement(const stats::DistributionFilter& filter);
// Minutes that began after `since`, the newest `limit` of them, oldest first.
Statement MinutesStatement(stats::WallTime since, int limit);
// 1 when a backend has this pid and was signalled, 0 when none has.
Statement EndStatement(std::int32_t pid);
Statement CancelStatement(std::int32_t pid);

}  // namespace pgvalet::sampler

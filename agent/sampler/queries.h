// Queries: what the sampler asks the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sampler/connection.h"

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

}  // namespace pgvalet::sampler

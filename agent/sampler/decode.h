// Decode: results of the sampler's statements to the rows of an ExtensionSample.
//
// Pure and strict: a result with another shape, type or length than queries.cc asked
// for is refused with a sentence that names view and column; no value can crash us.
// A NULL leaves the member at its default, which is what extension_sample.h gives it.
#pragma once

#include <libpq-fe.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sampler/columns.h"
#include "sampler/connection.h"
#include "stats/extension_sample.h"

namespace pgvalet::sampler {

// All rows, at most kMaxRows; a longer result sets *cut.
Result<std::vector<stats::BackendRow>> DecodeBackends(const PGresult* result, bool* cut);
Result<std::vector<stats::UsageRow>> DecodeUsage(const PGresult* result, const char* name_column,
                                                 bool* cut);
Result<stats::SummaryRow> DecodeSummary(const PGresult* result);

// As EventsStatement() asks for them.
Result<std::vector<ExtensionEvent>> DecodeEvents(const PGresult* result);

// The version of the extension; nullopt when it is not installed.
Result<std::optional<std::string>> DecodeProbe(const PGresult* result);

// Sentences are up to 1000 bytes long.
Result<std::vector<stats::AdviceRow>> DecodeAdvice(const PGresult* result);

// Of an inquiry.
Result<std::vector<stats::EndedSession>> DecodeEndedSessions(const PGresult* result);
Result<std::vector<stats::Distribution>> DecodeDistributions(const PGresult* result);
Result<std::vector<BucketRow>> DecodeBuckets(const PGresult* result);
Result<std::vector<stats::ServerMinute>> DecodeMinutes(const PGresult* result);
// Of EndStatement() and CancelStatement(): was there such a backend?
Result<bool> DecodeSignalled(const PGresult* result);

// The results of SampleStatements(), in order.  sampled_at is left to the caller.
Result<stats::ExtensionSample> DecodeSample(const std::vector<ResultPtr>& results);

}  // namespace pgvalet::sampler

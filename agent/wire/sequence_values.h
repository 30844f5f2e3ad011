// What currval() and lastval() know: the sequence state of docs/decisions/0200-session-report.md.
#pragma once

#include <string>
#include <string_view>

namespace pgvalet::wire {

// `known`, and `used` since: of a sequence in both the value in `used` counts, and so does its last
// value.  `used` alone when `known` does not have the form.  Of very many sequences those that were
// not used for longest are forgotten.
std::string MergeSequences(std::string_view known, std::string_view used);

}  // namespace pgvalet::wire

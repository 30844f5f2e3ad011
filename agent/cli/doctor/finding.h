// Findings: what `pgvalet doctor` looked at, and what became of it; pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/screen/line.h"

namespace pgvalet::cli::doctor {

// A larger one is worse.
enum class Verdict : std::uint8_t {
  kSkipped,  // could not be looked at, because of another step
  kOk,
  kWarning,  // works, but not as well or as safely as it could
  kProblem,  // does not work
};

// "skipped", "ok", "warning", "problem".
const char* VerdictName(Verdict verdict);

struct Finding {
  std::string step;  // of docs/cli.md: "address", "extension"; several may have the same
  Verdict verdict = Verdict::kOk;
  std::string found;     // one line
  std::string advice{};  // what to do; empty: nothing
};

using Findings = std::vector<Finding>;

// Appends one.
inline void Add(Findings& findings, std::string step, Verdict verdict, std::string found,
                std::string advice = "") {
  findings.push_back({std::move(step), verdict, std::move(found), std::move(advice)});
}

// All of `more`, after those that are there.
void Append(Findings& findings, Findings more);

// A line for each, under it what to do, and at the end how many there are of each verdict.
Lines FindingLines(const Findings& findings);

// [{"step": ..., "verdict": ..., "found": ..., "advice": ...}]
std::string FindingsToJson(const Findings& findings);

// What the process returns.  `reached`: an agent answered and let us in.  `strict`: a warning
// counts as a problem.
int ExitCodeOf(const Findings& findings, bool reached, bool strict);

}  // namespace pgvalet::cli::doctor

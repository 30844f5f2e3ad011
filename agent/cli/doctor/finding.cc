#include "cli/doctor/finding.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/command.h"
#include "cli/screen/text.h"

namespace pgvalet::cli::doctor {
namespace {

constexpr int kVerdictWidth = 9;
constexpr int kStepWidth = 20;

Style StyleOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSkipped:
      return Style::kDim;
    case Verdict::kOk:
      return Style::kGood;
    case Verdict::kWarning:
      return Style::kWarning;
    case Verdict::kProblem:
      return Style::kBad;
  }
  return Style::kPlain;
}

std::int64_t CountOf(const Findings& findings, Verdict verdict) {
  return std::count_if(findings.begin(), findings.end(),
                       [verdict](const Finding& finding) { return finding.verdict == verdict; });
}

}  // namespace

const char* VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSkipped:
      return "skipped";
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kProblem:
      return "problem";
  }
  return "";
}

void Append(Findings& findings, Findings more) {
  findings.insert(findings.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
}

Lines FindingLines(const Findings& findings) {
  Lines lines;
  for (const Finding& finding : findings) {
    Line line;
    line.Add(Pad(VerdictName(finding.verdict), kVerdictWidth), StyleOf(finding.verdict));
    line.Add(Pad(finding.step, kStepWidth)).Add(Printable(finding.found));
    lines.push_back(std::move(line));
    if (finding.advice.empty()) continue;
    lines.emplace_back(std::string(kVerdictWidth + kStepWidth, ' ') + "→ " +
                       Printable(finding.advice));
  }
  const std::int64_t problems = CountOf(findings, Verdict::kProblem);
  const std::int64_t warnings = CountOf(findings, Verdict::kWarning);
  lines.emplace_back();
  lines.emplace_back(
      fmt::format("{} problem{}, {} warning{}, {} skipped, {} ok", problems,
                  problems == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s",
                  CountOf(findings, Verdict::kSkipped), CountOf(findings, Verdict::kOk)),
      problems > 0   ? Style::kBad
      : warnings > 0 ? Style::kWarning
                     : Style::kGood);
  return lines;
}

std::string FindingsToJson(const Findings& findings) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"step", finding.step},
                    {"verdict", VerdictName(finding.verdict)},
                    {"found", finding.found},
                    {"advice", finding.advice}});
  }
  // Names come from others, and may not be UTF-8.
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int ExitCodeOf(const Findings& findings, bool reached, bool strict) {
  if (!reached) return kUnreachable;
  const Verdict allowed = strict ? Verdict::kOk : Verdict::kWarning;
  const bool fine = std::all_of(findings.begin(), findings.end(),
                                [allowed](const Finding& one) { return one.verdict <= allowed; });
  return fine ? kOk : kNo;
}

}  // namespace pgvalet::cli::doctor

#include "cli/doctor/doctor.h"

#include <optional>

#include "cli/doctor/agent_steps.h"
#include "cli/doctor/checks.h"
#include "cli/doctor/finding.h"
#include "cli/doctor/postgres_steps.h"
#include "cli/screen/output.h"

namespace pgvalet::cli::doctor {
namespace {

void Skip(Findings& findings, std::initializer_list<const char*> steps, const char* why) {
  for (const char* step : steps) Add(findings, step, Verdict::kSkipped, why);
}

constexpr const char* kNoAgent = "the agent does not tell";

Findings WithAgent(const Common& common, const DoctorOptions& options, const Facts& facts) {
  Findings findings = CheckAgent(facts, PGVALET_VERSION);
  AskPool(common, options.agent_uri, &facts, findings);
  Append(findings, CheckServers(facts));
  const std::optional<ServerLimits> limits = AskServer(common, options.server_uri, findings);
  Append(findings, CheckExtension(facts));
  Append(findings, CheckMaxConnections(facts, limits));
  Append(findings, CheckLeaks(facts));
  Append(findings, CheckAlerts(facts));
  if (facts.settings)
    Append(findings, CheckSettings(facts));
  else
    Skip(findings, {"settings"}, "the agent lists them with a token only");
  return findings;
}

Findings WithoutAgent(const Common& common, const DoctorOptions& options) {
  Findings findings;
  Skip(findings, {"version", "state", "databases", "limits"}, kNoAgent);
  AskPool(common, options.agent_uri, nullptr, findings);
  Skip(findings, {"servers"}, kNoAgent);
  AskServer(common, options.server_uri, findings);
  Skip(findings, {"extension", "max_connections", "leaks", "alerts", "settings"}, kNoAgent);
  return findings;
}

}  // namespace

int RunDoctor(const Common& common, const DoctorOptions& options) {
  Findings findings;
  const std::optional<Facts> facts = AskAgent(common, findings);
  Append(findings, facts ? WithAgent(common, options, *facts) : WithoutAgent(common, options));
  Print(common.json ? FindingsToJson(findings) : Render(FindingLines(findings), UseColour()));
  return ExitCodeOf(findings, facts.has_value(), options.strict);
}

}  // namespace pgvalet::cli::doctor

#include "cli/loadtest/plan.h"

namespace pgvalet::cli::loadtest {

const char* ScriptName(Script script) {
  switch (script) {
    case Script::kConnect:
      return "connect";
    case Script::kQuery:
      return "query";
    case Script::kTransaction:
      return "transaction";
  }
  return "";
}

std::vector<std::string> StatementsOf(const LoadPlan& plan) {
  if (plan.script == Script::kTransaction) return {"BEGIN", plan.query, "COMMIT"};
  return {plan.query};
}

Duration DueAfter(const LoadPlan& plan, std::int64_t number) {
  const double share = static_cast<double>(number) / static_cast<double>(plan.requests);
  return std::chrono::duration_cast<Duration>(plan.duration * share);
}

}  // namespace pgvalet::cli::loadtest

// Rules: the list of what can become an alert.
//
// docs/alerts.md and deploy/prometheus/pgvalet.rules.yml have one entry for each; a test compares
// all three.  What each looks at stands in pool_rules.cc, agent_rules.cc and server_rules.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgvalet::advice {

struct Rule {
  const char* name;
  const char* setting;  // its threshold, or what switches it on
};

const std::vector<Rule>& Rules();

// Findings of the extension's view pgvalet.advice: its rule "leak" is the alert "advice_leak".
inline constexpr std::string_view kAdvicePrefix = "advice_";

// Rules of pgvalet.advice that this version knows of; others are passed on all the same.
const std::vector<const char*>& AdviceRules();

}  // namespace pgvalet::advice

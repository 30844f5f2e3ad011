// The rules against docs/alerts.md, docs/extension/advice.md, the settings and Prometheus' rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "advice/rules.h"
#include "config/table.h"

namespace pgvalet::advice {
namespace {

using Names = std::set<std::string>;

std::string ReadRepositoryFile(const std::string& path) {
  std::ifstream file(std::string(PGVALET_REPOSITORY) + "/" + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The first group of every match.
Names FindAll(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  Names names;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
    names.insert((*it)[1]);
  }
  return names;
}

Names AllAlerts() {
  Names names;
  for (const Rule& rule : Rules()) names.insert(rule.name);
  for (const char* rule : AdviceRules()) names.insert(std::string(kAdvicePrefix) + rule);
  return names;
}

// pool_utilization: PgvaletPoolUtilization.
std::string PrometheusName(const std::string& name) {
  std::string camel = "Pgvalet";
  bool upper = true;
  for (const char c : name) {
    if (c != '_') camel += upper ? static_cast<char>(std::toupper(c)) : c;
    upper = c == '_';
  }
  return camel;
}

TEST(RulesDocumentTest, EveryAlertIsDocumentedAndNothingElse) {
  EXPECT_EQ(FindAll(ReadRepositoryFile("docs/alerts.md"), R"(\n\| `([a-z_]+)` \|)"), AllAlerts());
}

TEST(RulesDocumentTest, EveryAlertIsDocumentedWithItsSetting) {
  const std::string document = ReadRepositoryFile("docs/alerts.md");
  for (const Rule& rule : Rules()) {
    EXPECT_THAT(document, testing::HasSubstr("| `" + std::string(rule.name) + "` | `" +
                                             rule.setting + "` |"));
  }
}

TEST(RulesDocumentTest, EverySettingOfARuleIsThereAndEveryAlertSettingIsOfARule) {
  Names of_rules;
  for (const Rule& rule : Rules()) of_rules.insert(rule.setting);
  of_rules.insert({"alert_off_after", "alert_advice"});
  Names settings;
  for (const auto& setting : config::SettingsTable()) {
    if (setting.key.starts_with("alert_")) settings.insert(std::string(setting.key));
  }

  EXPECT_EQ(of_rules, settings);
}

TEST(RulesDocumentTest, AdviceOfTheExtensionIsKnownWholeButForTheRuleThatIsOurOwn) {
  Names known(AdviceRules().begin(), AdviceRules().end());
  known.insert("connection_limit");

  EXPECT_EQ(FindAll(ReadRepositoryFile("docs/extension/advice.md"),
                    R"(\n\| `([a-z_]+)` \| (?:info|warning|critical))"),
            known);
}

TEST(RulesDocumentTest, PrometheusHasARuleForEveryAlertAndTwoOfItsOwn) {
  const std::string rules = ReadRepositoryFile("deploy/prometheus/pgvalet.rules.yml");
  Names expected{"PgvaletDown", "PgvaletStale", "PgvaletAdviceOther"};
  for (const std::string& name : AllAlerts()) {
    expected.insert(PrometheusName(name));
    EXPECT_THAT(rules,
                testing::HasSubstr("- alert: " + PrometheusName(name) +
                                   "\n        expr: pgvalet_alert{name=\"" + name + "\"} > 0\n"));
  }

  EXPECT_EQ(FindAll(rules, R"(- alert: (\w+))"), expected);
}

TEST(RulesDocumentTest, PrometheusTellsKnownAdviceFromOther) {
  std::string known;
  for (const char* rule : AdviceRules()) known += (known.empty() ? "" : "|") + std::string(rule);

  EXPECT_THAT(ReadRepositoryFile("deploy/prometheus/pgvalet.rules.yml"),
              testing::HasSubstr("name!~\"advice_(" + known + ")\""));
}

}  // namespace
}  // namespace pgvalet::advice

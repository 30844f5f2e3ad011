#include "config/table.h"

#include <set>

#include "loading.h"

namespace pgvalet::config {
namespace {

// Rows "| `key` | ..." below the heading `heading`, up to the next heading of its level.
std::vector<std::string> DocumentedRows(const std::string& heading) {
  std::ifstream file(PGVALET_SOURCE_DIR "/docs/configuration.md");
  std::vector<std::string> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line == "## " + heading;
    if (inside && line.starts_with("| `")) rows.push_back(line);
  }
  return rows;
}

std::string DefaultCell(const Setting<Settings>& setting) {
  const std::string text = DefaultText(setting);
  return text.empty() ? "" : "`" + text + "`";
}

std::string Row(const Setting<Settings>& setting) {
  return "| `" + std::string(setting.key) + "` | " + DefaultCell(setting) + " | " +
         Expected(setting.rule) + " | " + (setting.needs_restart ? "restart" : "reload") + " | " +
         std::string(setting.meaning) + " |";
}

template <typename Owner>
std::string Row(const Setting<Owner>& setting) {
  return "| `" + std::string(setting.key) + "` | " + Expected(setting.rule) + " | " +
         std::string(setting.meaning) + " |";
}

template <typename Owner>
std::vector<std::string> Rows(const std::vector<Setting<Owner>>& table) {
  std::vector<std::string> rows;
  for (const Setting<Owner>& setting : table) rows.push_back(Row(setting));
  return rows;
}

TEST(TableTest, EverySettingIsDocumentedAsItIsAndNothingElse) {
  EXPECT_EQ(DocumentedRows("Settings"), Rows(SettingsTable()));
}

TEST(TableTest, EveryKeyOfADatabaseIsDocumented) {
  std::vector<std::string> documented = DocumentedRows("Databases");
  // These four are read together, outside of the table.
  ASSERT_GT(documented.size(), 4U);
  for (const char* key : {"host", "hostaddr", "port", "password_file"}) {
    EXPECT_TRUE(documented.front().starts_with("| `" + std::string(key) + "`")) << key;
    documented.erase(documented.begin());
  }

  EXPECT_EQ(documented, Rows(DatabaseTable()));
}

TEST(TableTest, EveryKeyOfAUserIsDocumented) {
  EXPECT_EQ(DocumentedRows("Users"), Rows(UserTable()));
}

TEST(TableTest, KeysAreUnique) {
  std::set<std::string_view> keys;
  for (const Setting<Settings>& setting : SettingsTable()) {
    EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
  }
}

TEST(TableTest, EveryDefaultKeepsItsOwnRuleAndReadsBackAsItself) {
  const Settings defaults;
  for (const Setting<Settings>& setting : SettingsTable()) {
    const Result<Value> value = ReadValue(setting.rule, Written(DefaultText(setting)), false);

    ASSERT_TRUE(value) << setting.key << ": " << value.error().detail;
    EXPECT_EQ(*value, *setting.get(defaults)) << setting.key;
  }
}

// What a row writes is what the same row reads: no two rows share a member.
TEST(TableTest, EveryRowSetsItsOwnMemberAndNoOther) {
  for (const Setting<Settings>& setting : SettingsTable()) {
    Settings settings;
    const Value before = *setting.get(settings);
    for (const char* text : {"1", "2", "4096", "true", "false", "session", "trust", "debug",
                             "error", "warn", "h:1", "pgbouncer", "user"}) {
      const Result<Value> value = ReadValue(setting.rule, Written(std::string(text)), false);
      if (!value || *value == before) continue;
      setting.set(settings, *value);
      break;
    }

    EXPECT_NE(*setting.get(settings), before) << setting.key;
    const Settings defaults;
    for (const Setting<Settings>& other : SettingsTable()) {
      if (other.key == setting.key) continue;
      EXPECT_EQ(*other.get(settings), *other.get(defaults)) << setting.key << ", " << other.key;
    }
  }
}

TEST(TableTest, PasswordsAreSecret) {
  EXPECT_TRUE(FindSetting(SettingsTable(), "sampler_password")->secret);
  EXPECT_TRUE(FindSetting(DatabaseTable(), "password")->secret);
}

}  // namespace
}  // namespace pgvalet::config

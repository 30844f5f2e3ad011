#include "config/pgbouncer_keys.h"

#include <set>

#include "config/table.h"
#include "loading.h"

namespace pgvalet::config {
namespace {

// Rows "| `key` | ..." below "### heading".
std::vector<std::string> DocumentedRows(const std::string& heading) {
  std::ifstream file(PGVALET_SOURCE_DIR "/docs/pgbouncer.md");
  std::vector<std::string> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) inside = line == "### " + heading;
    if (inside && line.starts_with("| `")) rows.push_back(line);
  }
  return rows;
}

std::vector<std::string> Rows(const std::vector<PgBouncerKey>& keys) {
  std::vector<std::string> rows;
  for (const PgBouncerKey& key : keys) {
    std::string note(key.note);
    for (const std::string_view value : key.harmless) {
      if (!value.empty())
        note += (note == key.note ? "; allowed: `" : ", `") + std::string(value) + "`";
    }
    rows.push_back("| `" + std::string(key.key) + "` | " + std::string(TakenName(key.taken)) +
                   " | " + note + " |");
  }
  return rows;
}

TEST(PgBouncerKeysTest, EveryKeyIsDocumentedWithWhatBecomesOfIt) {
  EXPECT_EQ(DocumentedRows("[pgbouncer]"), Rows(PgBouncerSettings()));
  EXPECT_EQ(DocumentedRows("[databases]"), Rows(PgBouncerDatabaseKeys()));
  EXPECT_EQ(DocumentedRows("[users]"), Rows(PgBouncerUserKeys()));
}

TEST(PgBouncerKeysTest, DefaultsThatDifferAreDocumented) {
  std::vector<std::string> rows;
  for (const auto& [key, value] : PgBouncerDefaults()) {
    const Setting<Settings>* setting = FindSetting(SettingsTable(), key);
    ASSERT_NE(setting, nullptr) << key;
    const auto cell = [](std::string_view text) {
      return text.empty() ? std::string() : "`" + std::string(text) + "`";
    };
    EXPECT_NE(value, DefaultText(*setting)) << key;
    rows.push_back("| `" + std::string(key) + "` | " + cell(value) + " | " +
                   cell(DefaultText(*setting)) + " |");
  }
  EXPECT_EQ(DocumentedRows("Defaults"), rows);
}

TEST(PgBouncerKeysTest, KeysAreUnique) {
  std::set<std::string_view> keys;
  for (const PgBouncerKey& key : PgBouncerSettings()) {
    EXPECT_TRUE(keys.insert(key.key).second) << key.key;
  }
  EXPECT_EQ(keys.size(), 101U);
}

// "same" is a claim that a setting of this name is there.
TEST(PgBouncerKeysTest, WhatIsTakenIsASettingAndWhatIsNotIsNone) {
  const std::set<std::string_view> elsewhere = {"verbose"};
  for (const PgBouncerKey& key : PgBouncerSettings()) {
    const bool is_taken = key.taken == Taken::kSame || key.taken == Taken::kDiffers;
    EXPECT_EQ(FindSetting(SettingsTable(), key.key) != nullptr,
              is_taken && !elsewhere.contains(key.key))
        << key.key;
    EXPECT_EQ(key.note.empty(), key.taken == Taken::kSame) << key.key;
  }
  const std::set<std::string_view> addresses = {"host", "port", "reserve_pool"};
  for (const PgBouncerKey& key : PgBouncerDatabaseKeys()) {
    EXPECT_EQ(FindSetting(DatabaseTable(), key.key) != nullptr,
              key.taken != Taken::kIgnored && !addresses.contains(key.key))
        << key.key;
  }
  for (const PgBouncerKey& key : PgBouncerUserKeys()) {
    EXPECT_EQ(FindSetting(UserTable(), key.key) != nullptr, key.taken == Taken::kSame) << key.key;
  }
}

}  // namespace
}  // namespace pgvalet::config

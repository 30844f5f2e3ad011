// Input that nobody meant to write: no exception, no crash, always an answer.
#include <random>

#include "config/check.h"
#include "config/connection_string.h"
#include "config/table.h"
#include "config/toml_file.h"
#include "loading.h"

namespace pgvalet::config {
namespace {

// The same input in every run.
struct RandomTest : testing::Test {
  std::mt19937 random{4711};

  std::size_t Below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  }
  std::string Bytes(std::size_t limit) {
    std::string bytes(Below(limit), '\0');
    for (char& byte : bytes) byte = static_cast<char>(Below(256));
    return bytes;
  }
  // `text` with a few bytes changed, taken out or doubled.
  std::string Damaged(std::string text) {
    for (std::size_t changes = 1 + Below(6); changes > 0 && !text.empty(); --changes) {
      const std::size_t at = Below(text.size());
      switch (Below(4)) {
        case 0:
          text[at] = static_cast<char>(Below(256));
          break;
        case 1:
          text.erase(at, 1 + Below(8));
          break;
        case 2:
          text.insert(at, text.substr(Below(text.size()), Below(20)));
          break;
        default:
          text[at] = "=[]{}\"'\n,.#"[Below(11)];
          break;
      }
    }
    return text;
  }
};

constexpr std::string_view kSeed =
    "listen_port = 6543\nlisten_addr = [\"a\", \"b\"]\nauth_file = 'u'\nquery_timeout = 1.5\n"
    "logfile = \"\"\"x\ny\"\"\"\nunix_socket_mode = 0o700\npidfile = 1979-05-27T07:32:00Z\n"
    "[databases]\napp = \"host=h port=1 password='a b' pool_size=3\"\n"
    "\"*\" = { host = [\"x\", \"y\"], port = [1, 2] }\nu = 'postgres://u:p@h:1/d?pool_size=3'\n"
    "[users]\nbob = { pool_mode = \"session\" }\n[[x]]\na.b.c = 1\n";

TEST_F(RandomTest, DamagedFilesAreReadOrRefused) {
  for (int round = 0; round < 20000; ++round) {
    Report report;
    const FileContents contents = ReadToml(Damaged(std::string(kSeed)), "x", report);
    for (const WrittenEntry& entry : contents.databases) ReadDatabaseEntry(entry, report);
    for (const WrittenEntry& entry : contents.users) ReadUserEntry(entry, report);
    for (const WrittenKey& key : contents.settings) {
      if (const Setting<Settings>* setting = FindSetting(SettingsTable(), key.key)) {
        (void)ReadValue(setting->rule, key.value, setting->secret);
      }
    }
    (void)report.Mistakes();
  }
}

TEST_F(RandomTest, NoiseIsNoFile) {
  for (int round = 0; round < 5000; ++round) {
    Report report;
    (void)ReadToml(Bytes(200), "x", report);
  }
}

TEST_F(RandomTest, DeepNestingIsRefused) {
  Report report;
  (void)ReadToml("x = " + std::string(100000, '['), "x", report);
  EXPECT_TRUE(report.has_mistakes());
}

TEST_F(RandomTest, DamagedConnectionStringsAreReadOrRefused) {
  for (int round = 0; round < 20000; ++round) {
    (void)ParseConnectionString(
        Damaged("postgres://u%40:p@h1:1,[::1]:2/db?pool_size=3&sslmode=disable"));
    (void)ParseConnectionString(Damaged("host=h port=1 password='a b' connect_query='a''b\\''"));
    (void)ParseConnectionString(Bytes(60));
  }
}

TEST_F(RandomTest, EveryKindOfValueSurvivesNoise) {
  for (int round = 0; round < 5000; ++round) {
    const std::string text = Damaged("123.5ms");
    for (const Setting<Settings>& setting : SettingsTable()) {
      Settings settings;
      const Result<Value> value = ReadValue(setting.rule, Written(text), false);
      if (value) setting.set(settings, *value);
    }
  }
}

TEST_F(RandomTest, LoadAlwaysAnswers) {
  Loading loading;
  for (int round = 0; round < 300; ++round) {
    loading.File(Damaged(std::string(kSeed)));
    loading.command_line.overrides = {{Damaged("databases.app"), Damaged("host=h")}};
    loading.command_line.database_url = Damaged("postgres://u:p@h/db");
    const Result<Loaded> loaded = loading.Run();
    EXPECT_NE(loaded ? DescribeSettings(*loaded) : loaded.error().detail, "");
  }
}

}  // namespace
}  // namespace pgvalet::config

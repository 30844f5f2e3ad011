#include "config/check.h"

#include "config/table.h"
#include "loading.h"

namespace pgvalet::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(CheckTest, ShowsEveryValueWithItsSource) {
  Loading loading;
  loading.File(Complete("query_timeout = '500ms'") + "[users]\nbob = 'pool_size=3'\n")
      .Variable("PGVALET_CORES", "2");

  const std::string text = loading.WithoutFolder(DescribeSettings(loading.Good()));

  EXPECT_THAT(text, HasSubstr("\nquery_timeout = 0.5  # pgvalet.toml:1\n"));
  EXPECT_THAT(text, HasSubstr("\ncores = 2  # environment PGVALET_CORES\n"));
  EXPECT_THAT(text, HasSubstr("\nlisten_port = 6543  # default\n"));
  EXPECT_THAT(text, HasSubstr("\n\"app\" = { host = \"db1\", port = 5432 }  # pgvalet.toml:4\n"));
  EXPECT_THAT(text, HasSubstr("\n\"bob\" = { pool_size = 3 }  # pgvalet.toml:6\n"));
  for (const Setting<Settings>& setting : SettingsTable()) {
    EXPECT_THAT(text, HasSubstr("\n" + std::string(setting.key) + " = "));
  }
}

TEST(CheckTest, ShowsNoPassword) {
  const std::string text =
      DescribeSettings(Loading()
                           .File("sampler_password = 'hunter2'\n"
                                 "[databases]\na = 'user=u password=hunter2'\n")
                           .Uri("postgres://v:hunter2@h/db")
                           .Good());

  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("sampler_password = \"********\""));
  EXPECT_THAT(text, HasSubstr("password = \"********\" }"));
  EXPECT_THAT(text, HasSubstr("# \"v\" can log in with password ********  # command line"));
}

TEST(CheckTest, PrintsAFileThatLoadsToTheSameSettings) {
  Loading first;
  first.File(
      "auth_file = 'users.txt'\nlisten_addr = ['a b', 'c']\nunix_socket_mode = '0700'\n"
      "query_timeout = 0.25\nserver_reset_query = \"RESET \\\"all\\\"\"\n"
      "[databases]\n'*' = 'host=h1,h2 port=1,2 pool_mode=session'\n"
      "'we\"ird' = { host = '/tmp', connect_query = \"SET x = 'a\\\\b'\" }\n"
      "[users]\nbob = 'query_timeout=1'\n");
  const std::string text = DescribeSettings(first.Good());
  Loading second;
  second.File(text);

  const std::string again = DescribeSettings(second.Good());

  const auto without_sources = [](std::string all) {
    for (std::size_t at; (at = all.find("  # ")) != std::string::npos;) {
      all.erase(at, all.find('\n', at) - at);
    }
    return all;
  };
  EXPECT_EQ(without_sources(again), without_sources(text));
  EXPECT_THAT(NeedRestart(*first.Good().settings, *second.Good().settings), IsEmpty());
}

TEST(CheckTest, TheExampleConfigurationPasses) {
  Loading loading;
  loading.command_line.config_file = PGVALET_SOURCE_DIR "/deploy/pgvalet.toml";

  const Loaded loaded = loading.Good();

  EXPECT_THAT(loaded.warnings, IsEmpty());
}

// A comment in the example is a line somebody will uncomment.
TEST(CheckTest, TheExampleConfigurationPassesWithEverySettingUncommented) {
  std::ifstream file(PGVALET_SOURCE_DIR "/deploy/pgvalet.toml");
  std::string text;
  for (std::string line; std::getline(file, line);) {
    const bool setting = line.starts_with("#") && line.size() > 1 && line[1] != ' ';
    text += (setting ? line.substr(1) : line) + "\n";
  }
  Loading loading;
  loading.File(text);

  const Loaded loaded = loading.Good();

  EXPECT_THAT(loaded.warnings, IsEmpty());
  for (const Setting<Settings>& setting : SettingsTable()) {
    EXPECT_NE(loaded.sources.at(std::string(setting.key)), "default")
        << setting.key << " is not in the example";
  }
}

}  // namespace
}  // namespace pgvalet::config

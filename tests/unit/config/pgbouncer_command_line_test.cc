#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/command_line.h"

namespace pgvalet::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;

Result<CommandLine> Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "pgbouncer");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return ParsePgBouncerCommandLine(static_cast<int>(arguments.size()), argv.data());
}

TEST(PgBouncerCommandLineTest, TakesItsSwitchesInAnyOrder) {
  const Result<CommandLine> line = Parse({"a.ini", "-dq", "-u", "postgres", "-vv", "-R"});

  ASSERT_TRUE(line) << line.error().detail;
  EXPECT_EQ(line->pgbouncer_file, "a.ini");
  EXPECT_TRUE(line->is_daemon);
  EXPECT_TRUE(line->is_quiet);
  EXPECT_TRUE(line->is_reboot);
  EXPECT_THAT(line->overrides, ElementsAre(Pair("user", "postgres"), Pair("log_level", "trace")));
}

TEST(PgBouncerCommandLineTest, TakesLongSwitches) {
  const Result<CommandLine> line =
      Parse({"--daemon", "--quiet", "--reboot", "--user=nobody", "--verbose", "/etc/a.conf"});

  ASSERT_TRUE(line) << line.error().detail;
  EXPECT_EQ(line->pgbouncer_file, "/etc/a.conf");
  EXPECT_TRUE(line->is_daemon);
  EXPECT_THAT(line->overrides, ElementsAre(Pair("user", "nobody"), Pair("log_level", "debug")));
}

TEST(PgBouncerCommandLineTest, FirstLineOfTheVersionIsPgBouncers) {
  const Result<CommandLine> line = Parse({"-V"});

  ASSERT_TRUE(line);
  EXPECT_THAT(line->print, StartsWith("PgBouncer 1."));
  EXPECT_THAT(line->print, HasSubstr("\npgvalet "));
}

TEST(PgBouncerCommandLineTest, ComplainsAsPgBouncerDoes) {
  EXPECT_THAT(Parse({}).error().detail, StartsWith("no configuration file specified\nTry "));
  EXPECT_THAT(Parse({"-x", "a.ini"}).error().detail, StartsWith("invalid option"));
  EXPECT_THAT(Parse({"-u"}).error().detail, StartsWith("invalid option"));
  EXPECT_THAT(Parse({"a.ini", "b.ini"}).error().detail, StartsWith("too many arguments"));
}

TEST(PgBouncerCommandLineTest, NameOfTheProgramDecides) {
  EXPECT_TRUE(IsPgBouncerName("pgbouncer"));
  EXPECT_TRUE(IsPgBouncerName("/usr/sbin/pgbouncer"));
  EXPECT_FALSE(IsPgBouncerName("/usr/bin/pgvaletd"));
  EXPECT_FALSE(IsPgBouncerName("pgbouncer/"));
}

}  // namespace
}  // namespace pgvalet::config

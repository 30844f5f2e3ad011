#include "config/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgvalet::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

Result<CommandLine> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "pgvaletd");
  return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
}

TEST(CommandLineTest, TakesAUriAlone) {
  const Result<CommandLine> line = Parse({"postgres://u@h/db"});

  ASSERT_TRUE(line);
  EXPECT_EQ(line->database_url, "postgres://u@h/db");
  EXPECT_FALSE(line->check);
  EXPECT_EQ(line->print, "");
}

TEST(CommandLineTest, TakesFileSettingsAndCheckInAnyOrder) {
  const Result<CommandLine> line =
      Parse({"--set", "listen_port=1", "--config", "a.toml", "-s", "logfile=", "--check",
             "--set=databases.app=host=x port=1", "postgres://u@h/db"});

  ASSERT_TRUE(line) << line.error().detail;
  EXPECT_EQ(line->config_file, "a.toml");
  EXPECT_EQ(line->database_url, "postgres://u@h/db");
  EXPECT_TRUE(line->check);
  EXPECT_THAT(line->overrides, ElementsAre(Pair("listen_port", "1"), Pair("logfile", ""),
                                           Pair("databases.app", "host=x port=1")));
}

TEST(CommandLineTest, KeepsCommasAndBracketsOfAValue) {
  const Result<CommandLine> line = Parse({"--set", "listen_addr=a,b", "--set", "x=[1,2]"});

  ASSERT_TRUE(line) << line.error().detail;
  EXPECT_THAT(line->overrides, ElementsAre(Pair("listen_addr", "a,b"), Pair("x", "[1,2]")));
}

TEST(CommandLineTest, PrintsHelpAndVersionInsteadOfRunning) {
  for (const char* option : {"--help", "-h"}) {
    const Result<CommandLine> line = Parse({option});
    ASSERT_TRUE(line);
    EXPECT_THAT(line->print, HasSubstr("--config"));
    EXPECT_THAT(line->print, HasSubstr("PGVALET_DATABASE_URL"));
  }
  const Result<CommandLine> line = Parse({"--version"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->print.rfind("pgvaletd ", 0), 0U);
}

TEST(CommandLineTest, RefusesWhatItDoesNotKnow) {
  for (const std::vector<const char*>& arguments :
       std::vector<std::vector<const char*>>{{"--listen-port=1"},
                                             {"--set"},
                                             {"--set", "listen_port"},
                                             {"--set", "=1"},
                                             {"--config"},
                                             {"postgres://a/b", "postgres://c/d"},
                                             {"-x"}}) {
    const Result<CommandLine> line = Parse(arguments);

    ASSERT_FALSE(line) << arguments.front();
    EXPECT_EQ(line.error().code, ErrorCode::kInvalidSetting);
    EXPECT_NE(line.error().detail, "");
  }
}

TEST(CommandLineTest, PointsToConfigWhenTheUriIsAFile) {
  const Result<CommandLine> line = Parse({"pgvalet.toml"});

  ASSERT_FALSE(line);
  EXPECT_THAT(line.error().detail, HasSubstr("--config"));
}

TEST(CommandLineTest, DoesNotQuoteASecondUriWithItsPassword) {
  const Result<CommandLine> line = Parse({"postgres://a/b", "postgres://u:hunter2@c/d"});

  ASSERT_FALSE(line);
  EXPECT_THAT(line.error().detail, Not(HasSubstr("hunter2")));
}

std::string Hidden(std::string argument) {
  char program[] = "pgvaletd";
  char* argv[] = {program, argument.data(), nullptr};
  HidePasswords(2, argv);
  return argument;
}

TEST(CommandLineTest, HidesPasswordsFromTheProcessList) {
  EXPECT_EQ(Hidden("postgres://u:abc@h:1/db"), "postgres://u:***@h:1/db");
  EXPECT_EQ(Hidden("postgres://u:a@c@h/db"), "postgres://u:***@h/db");
  EXPECT_EQ(Hidden("postgres://u@h:1/db?password=abc&x=1"), "postgres://u@h:1/db?password=***&x=1");
  EXPECT_EQ(Hidden("sampler_password=abc"), "sampler_password=***");
  EXPECT_EQ(Hidden("postgres://u@h:1/db"), "postgres://u@h:1/db");
  EXPECT_EQ(Hidden("listen_port=1"), "listen_port=1");
}

}  // namespace
}  // namespace pgvalet::config

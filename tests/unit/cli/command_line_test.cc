#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace pgvalet::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Common Parsed(std::vector<std::string> arguments) {
  auto parsed = ParseCommandLine(std::move(arguments));
  if (const Answer* answer = std::get_if<Answer>(&parsed)) ADD_FAILURE() << answer->text;
  const Invocation* invocation = std::get_if<Invocation>(&parsed);
  if (invocation == nullptr) return {};
  EXPECT_TRUE(invocation->action);
  return invocation->common;
}

Answer Answered(std::vector<std::string> arguments) {
  auto parsed = ParseCommandLine(std::move(arguments));
  const Answer* answer = std::get_if<Answer>(&parsed);
  if (answer == nullptr) ADD_FAILURE() << "was accepted";
  return answer != nullptr ? *answer : Answer{};
}

struct CommandLineTest : testing::Test {
  void SetUp() override { unsetenv("PGVALET_ADDRESS"); }
  void TearDown() override { unsetenv("PGVALET_ADDRESS"); }
};

TEST_F(CommandLineTest, StatusNeedsNothingElse) {
  const Common common = Parsed({"status"});

  EXPECT_EQ(common.address, "127.0.0.1:6544");
  EXPECT_FALSE(common.json);
  EXPECT_FALSE(common.tls.used());
}

TEST_F(CommandLineTest, CommonOptionsStandBeforeOrAfterTheCommand) {
  EXPECT_EQ(Parsed({"--address", "db1:7000", "top"}).address, "db1:7000");
  EXPECT_EQ(Parsed({"top", "--address", "db1:7000"}).address, "db1:7000");
  EXPECT_EQ(Parsed({"top", "--timeout=0.5"}).timeout, 500ms);
}

TEST_F(CommandLineTest, TheEnvironmentNamesTheAgentUnlessTheOptionDoes) {
  setenv("PGVALET_ADDRESS", "db2:6544", 1);

  EXPECT_EQ(Parsed({"status"}).address, "db2:6544");
  EXPECT_EQ(Parsed({"status", "-a", "db3:6544"}).address, "db3:6544");
}

TEST_F(CommandLineTest, ATokenComesFromAFileOrTheEnvironment) {
  setenv("PGVALET_TOKEN", "from-the-environment", 1);
  EXPECT_EQ(Parsed({"status"}).token, "from-the-environment");
  const std::string path = testing::TempDir() + "pgvalet-cli-token";
  std::ofstream(path) << "plain-token-of-a-file\n";
  EXPECT_EQ(Parsed({"status", "--token-file", path}).token, "plain-token-of-a-file");
  std::ofstream(path) << "read line-of-the-agents-file\n";
  EXPECT_EQ(Parsed({"status", "--token-file", path}).token, "line-of-the-agents-file");
  std::remove(path.c_str());
  unsetenv("PGVALET_TOKEN");
  EXPECT_EQ(Answered({"status", "--token-file", path}).exit_code, kUsage);
}

TEST_F(CommandLineTest, TheAgentsCertificateIsCheckedWhenAsked) {
  EXPECT_TRUE(Parsed({"status", "--tls"}).tls.used());
  EXPECT_EQ(Parsed({"--tls-ca-file", "ca.pem", "status"}).tls.ca_file, "ca.pem");
  EXPECT_TRUE(Parsed({"status", "--tls-ca-file", "ca.pem"}).tls.used());
  EXPECT_EQ(Answered({"status", "--tls-key-file", "key.pem"}).exit_code, kUsage);
}

TEST_F(CommandLineTest, AddressesThatGrpcWouldMisreadAreRefused) {
  for (const char* good : {"localhost:1", "[::1]:6544", "unix:/run/x", "10.0.0.1:65535"})
    EXPECT_EQ(Parsed({"status", "-a", good}).address, good);
  for (const char* bad : {"localhost", "", ":6544", "a:", "a:0", "a:65536", "a:x", "::1:6544",
                          "unix:", "a:999999999999"}) {
    const Answer answer = Answered({"status", "-a", bad});
    EXPECT_EQ(answer.exit_code, kUsage) << bad;
  }
}

TEST_F(CommandLineTest, ImportNeedsAFile) {
  Parsed({"import", "a.ini", "-o", "a.toml"});
  EXPECT_EQ(Answered({"import"}).exit_code, kUsage);
  EXPECT_THAT(Answered({"import"}).text, HasSubstr("FILE"));
}

TEST_F(CommandLineTest, MistakesAreUsageErrors) {
  EXPECT_THAT(Answered({}).text, HasSubstr("which command?"));
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{},
                                                    {"bottom"},
                                                    {"status", "--nonsense"},
                                                    {"top", "-i", "0"},
                                                    {"top", "-n", "0"},
                                                    {"top", "--view", "x"},
                                                    {"status", "--timeout", "soon"}}) {
    const Answer answer = Answered(arguments);
    EXPECT_EQ(answer.exit_code, kUsage);
    EXPECT_THAT(answer.text, HasSubstr("pgvalet --help"));
  }
}

TEST_F(CommandLineTest, HelpAndVersionAreNoErrors) {
  const Answer help = Answered({"--help"});
  const Answer version = Answered({"--version"});

  EXPECT_EQ(help.exit_code, kOk);
  EXPECT_THAT(help.text, HasSubstr("Examples:"));
  EXPECT_EQ(version.exit_code, kOk);
  EXPECT_THAT(version.text, testing::MatchesRegex("pgvalet [0-9.]+\n"));
}

}  // namespace
}  // namespace pgvalet::cli

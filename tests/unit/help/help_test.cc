#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <string>

#include "help/completion.h"
#include "help/manual_page.h"

namespace pgvalet::help {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A program with a bit of everything.
struct HelpTest : testing::Test {
  HelpTest() {
    program.footer("Examples:\n  tool look --all\n\nEnvironment: TOOL_AT the place.");
    program.add_option("-a,--at", at, "it's where")->type_name("PLACE")->envname("TOOL_AT");
    CLI::App* look = program.add_subcommand("look", "See what [there] is: all of it");
    look->add_option("--by", by, "order")->type_name("KEY")->check(CLI::IsMember({"name", "age"}));
    look->add_flag("--all", all, "everything");
    CLI::App* take = program.add_subcommand("take", "Take something");
    take->add_option("FILE", file, ".file of it")->required();
    CLI::App* back = take->add_subcommand("back", "Take it back");
    back->add_option("--log-file", file, "log")->type_name("FILE");
    described = Describe(program);
  }

  CLI::App program{"tool: looks and takes", "tool"};
  std::string at, by, file;
  bool all = false;
  Command described;
};

TEST_F(HelpTest, ValuesNamesAndChoicesAreRead) {
  ASSERT_EQ(described.commands.size(), 2U);
  const Argument& where = described.arguments[1];
  EXPECT_THAT(where.names, ElementsAre("-a", "--at"));
  EXPECT_EQ(where.value, "PLACE");
  EXPECT_EQ(where.environment, "TOOL_AT");
  const Argument& order = described.commands[0].arguments[1];
  EXPECT_THAT(order.choices, ElementsAre("name", "age"));
  EXPECT_EQ(order.value, "KEY");
  EXPECT_FALSE(described.commands[0].arguments[2].takes_value());
  const Argument& taken = described.commands[1].arguments[1];
  EXPECT_TRUE(taken.is_positional && taken.is_required && taken.takes_file());
}

TEST_F(HelpTest, AManualPageHasEveryCommandAndSection) {
  const std::string page = ManualPage(described, {.section = 8, .version = "1.2", .see_also = ""});
  EXPECT_THAT(page, HasSubstr(".TH TOOL 8 \"\" \"pgvalet 1.2\""));
  EXPECT_THAT(page, HasSubstr("tool \\- looks and takes"));
  EXPECT_THAT(page, HasSubstr(".SS look\n"));
  EXPECT_THAT(page, HasSubstr(".SS take back\n"));
  EXPECT_THAT(page, HasSubstr("\\fIname|age\\fR"));
  EXPECT_THAT(page, HasSubstr("Environment: TOOL_AT."));
  EXPECT_THAT(page, HasSubstr(".SH EXAMPLES\n.nf\n  tool look \\-\\-all\n"));
  EXPECT_THAT(page, HasSubstr(".SH ENVIRONMENT\n"));
}

TEST_F(HelpTest, WhatATextBeginsWithIsNoRequestOfThePage) {
  const std::string page = ManualPage(described, {});
  EXPECT_THAT(page, HasSubstr("\n\\&.file of it.\n"));
  EXPECT_THAT(page, Not(HasSubstr("\n.file")));
}

TEST_F(HelpTest, BashIsToldCommandsOptionsAndValues) {
  const std::string script = BashCompletion(described);
  EXPECT_THAT(script, HasSubstr("'') words='look take -h --help -a --at'"));
  EXPECT_THAT(script, HasSubstr("'/take/back') words='-h --help -a --at --log-file'"));
  EXPECT_THAT(script,
              HasSubstr("'/look --by')\n      mapfile -t COMPREPLY < <(compgen -W 'name age'"));
  EXPECT_THAT(script,
              HasSubstr("'/take/back --log-file')\n      mapfile -t COMPREPLY < <(compgen -f"));
}

TEST_F(HelpTest, ZshIsToldTheSameWithItsTextsQuoted) {
  const std::string script = ZshCompletion(described);
  EXPECT_THAT(script, HasSubstr("#compdef tool"));
  EXPECT_THAT(script, HasSubstr("'look:See what \\[there\\] is\\: all of it'"));
  EXPECT_THAT(script, HasSubstr("'--by[order]:KEY:(name age)'"));
  EXPECT_THAT(script, HasSubstr("'--at[it'\\''s where]:PLACE:'"));
  EXPECT_THAT(script, HasSubstr("back) _tool_take_back ;;"));
}

}  // namespace
}  // namespace pgvalet::help

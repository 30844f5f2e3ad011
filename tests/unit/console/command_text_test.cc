#include "console/command_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgvalet::console {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Commands as "word|word", quoted words in brackets.
std::vector<std::string> Split(std::string_view text) {
  Result<std::vector<Words>> commands = SplitCommands(text);
  if (!commands) return {std::string("error: ") + commands.error().what};
  std::vector<std::string> shown;
  for (const Words& words : *commands) {
    std::string one;
    for (const Word& word : words) {
      one += (one.empty() ? "" : "|") + (word.is_quoted ? "[" + word.text + "]" : word.text);
    }
    shown.push_back(one);
  }
  return shown;
}

TEST(CommandTextTest, WordsAndSignsAreTakenApart) {
  EXPECT_THAT(Split("SHOW pools;"), ElementsAre("SHOW|pools"));
  EXPECT_THAT(Split("SET a=b"), ElementsAre("SET|a|=|b"));
  EXPECT_THAT(Split("  set\ta\n=\r'b c' ;"), ElementsAre("set|a|=|[b c]"));
}

TEST(CommandTextTest, SeveralCommandsAndNone) {
  EXPECT_THAT(Split("PAUSE; RESUME a ;;show stats"),
              ElementsAre("PAUSE", "RESUME|a", "show|stats"));
  EXPECT_THAT(Split(""), IsEmpty());
  EXPECT_THAT(Split(" ;; \n"), IsEmpty());
}

TEST(CommandTextTest, QuotedTextsKeepEverything) {
  EXPECT_THAT(Split("KILL \"a; \"\"b\""), ElementsAre("KILL|[a; \"b]"));
  EXPECT_THAT(Split("SET a = 'it''s'"), ElementsAre("SET|a|=|[it's]"));
  EXPECT_THAT(Split("SET a = ''"), ElementsAre("SET|a|=|[]"));
  EXPECT_THAT(Split("a'b'c"), ElementsAre("a|[b]|c"));
}

TEST(CommandTextTest, CommentsAreLeftOut) {
  EXPECT_THAT(Split("/* a; b */ SHOW -- c\n pools -- end"), ElementsAre("SHOW|pools"));
  EXPECT_THAT(Split("/* without end"), IsEmpty());
  EXPECT_THAT(Split("SHOW '--' "), ElementsAre("SHOW|[--]"));
}

TEST(CommandTextTest, QuoteWithoutEndIsAnError) {
  EXPECT_THAT(Split("SET a = 'b"), ElementsAre("error: a quoted text has no end"));
  EXPECT_THAT(Split("KILL \""), ElementsAre("error: a quoted text has no end"));
}

TEST(CommandTextTest, KeywordsAreThoseWithoutQuotes) {
  EXPECT_TRUE((Word{"Show", false}).Is("SHOW"));
  EXPECT_FALSE((Word{"Show", true}).Is("SHOW"));
  EXPECT_FALSE((Word{"Sho", false}).Is("SHOW"));
}

}  // namespace
}  // namespace pgvalet::console

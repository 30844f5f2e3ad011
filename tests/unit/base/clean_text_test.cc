#include "base/clean_text.h"

#include <gtest/gtest.h>

#include <string>

namespace pgvalet {
namespace {

TEST(CleanTextTest, KeepsUtf8AndReplacesEverythingElse) {
  EXPECT_EQ(CleanText("plain"), "plain");
  EXPECT_EQ(CleanText("ä€😀"), "ä€😀");
  EXPECT_EQ(CleanText("a\x1b[31mb\n"), "a?[31mb?");
  EXPECT_EQ(CleanText("\xff\xfe"), "??");
  EXPECT_EQ(CleanText("\xc0\xaf"), "??");            // overlong
  EXPECT_EQ(CleanText("\xed\xa0\x80"), "???");       // surrogate
  EXPECT_EQ(CleanText("\xf4\x90\x80\x80"), "????");  // beyond the last character
  EXPECT_EQ(CleanText("\xe2\x82"), "??");            // cut short
}

TEST(CleanTextTest, NeverCutsACharacterInTwo) {
  std::string text(255, 'x');
  text += "€";

  EXPECT_EQ(CleanText(text), std::string(255, 'x'));
}

TEST(Utf8Test, CharactersStayAsTheyAre) {
  for (const char* text : {"", "plain", "Grüße", "日本語", "\xF0\x9F\x90\x98", "\x7F\x01"}) {
    EXPECT_EQ(CleanUtf8(text), text);
  }
}

TEST(Utf8Test, BytesThatAreNoCharacterAreReplacedOneByOne) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(CleanUtf8("a\xFFz"), "a" + bad + "z");
  EXPECT_EQ(CleanUtf8("\x80"), bad);
  EXPECT_EQ(CleanUtf8("\xC3"), bad) << "cut short";
  EXPECT_EQ(CleanUtf8("\xE2\x82z"), bad + bad + "z");
  EXPECT_EQ(CleanUtf8("\xC0\xAF"), bad + bad) << "longer than needed";
  EXPECT_EQ(CleanUtf8("\xE0\x80\x80"), bad + bad + bad);
  EXPECT_EQ(CleanUtf8("\xED\xA0\x80"), bad + bad + bad) << "a surrogate";
  EXPECT_EQ(CleanUtf8("\xF4\x90\x80\x80"), bad + bad + bad + bad) << "beyond the last character";
}

}  // namespace
}  // namespace pgvalet

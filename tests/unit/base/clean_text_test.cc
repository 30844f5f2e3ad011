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

}  // namespace
}  // namespace pgvalet

#include "cli/screen/text.h"

#include <gtest/gtest.h>

namespace pgvalet::cli {
namespace {

TEST(TextTest, WidthIsInColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth(""), 0);
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("björn"), 5);
  EXPECT_EQ(DisplayWidth("データ"), 6);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
  EXPECT_EQ(DisplayWidth("\xff\xfe"), 2);
}

TEST(TextTest, CutNeverTakesMoreThanItsColumns) {
  EXPECT_EQ(Cut("abcdef", 6), "abcdef");
  EXPECT_EQ(Cut("abcdef", 5), "abcd…");
  EXPECT_EQ(Cut("abcdef", 1), "…");
  EXPECT_EQ(Cut("abcdef", 0), "");
  EXPECT_EQ(Cut("abcdef", -1), "");
  EXPECT_EQ(Cut("データベース", 6), "デー…");  // half a character is no character
}

TEST(TextTest, PadFillsToExactlyItsColumns) {
  EXPECT_EQ(Pad("ab", 4), "ab  ");
  EXPECT_EQ(Pad("ab", 4, Align::kRight), "  ab");
  EXPECT_EQ(Pad("データベース", 6), "デー… ");
}

TEST(TextTest, NamesCannotDriveTheTerminal) {
  EXPECT_EQ(Printable("a\x1b[2Jb\r\n\tc"), "a?[2Jb???c");
  EXPECT_EQ(Printable("\xc2\x9b"), "?");  // CSI as one character
  EXPECT_EQ(Printable(std::string_view("a\0b", 3)), "a?b");
  EXPECT_EQ(Printable("ok \xff"), "ok ?");
}

}  // namespace
}  // namespace pgvalet::cli

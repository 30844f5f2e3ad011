#include "cli/screen/table.h"

#include <gtest/gtest.h>

#include "cli/screen/sorted_table.h"

namespace pgvalet::cli {
namespace {

Table Sample() {
  Table table({{"NAME", Align::kLeft, 4},
               {"in", Align::kRight, 0, "BYTES"},
               {"out", Align::kRight, 0, "BYTES"},
               {"MODE"}});
  table.Add({"warehouse", "1", "22", "session"});
  table.Add({"データベース", "333", "4", "transaction"});
  return table;
}

TEST(TableTest, ColumnsAreAsWideAsTheyNeedToBe) {
  EXPECT_EQ(Render(Sample().Render(100), false),
            "              BYTES\n"
            "NAME           in out  MODE\n"
            "warehouse       1  22  session\n"
            "データベース  333   4  transaction\n");
}

TEST(TableTest, NamesShrinkFirst) {
  EXPECT_EQ(Render(Sample().Render(28), false),
            "        BYTES\n"
            "NAME     in out  MODE\n"
            "wareh…    1  22  session\n"
            "デー…   333   4  transaction\n");
}

TEST(TableTest, ThenWholeColumnsAreLeftOutFromTheRight) {
  EXPECT_EQ(Render(Sample().Render(21), false),
            "              BYTES\n"
            "NAME           in out\n"
            "warehouse       1  22\n"
            "データベース  333   4\n");
}

TEST(TableTest, NoLineIsWiderThanAsked) {
  for (int width = 0; width < 60; ++width)
    for (const Line& line : Sample().Render(width)) EXPECT_LE(line.width(), width);
}

TEST(TableTest, AWindowOfRowsKeepsTheColumns) {
  EXPECT_EQ(Render(Sample().Render(100, 0, 1), false),
            "              BYTES\n"
            "NAME           in out  MODE\n"
            "warehouse       1  22  session\n");
  EXPECT_EQ(Sample().Render(100, 7, 5).size(), 2u);
}

TEST(TableTest, CellsAreMadePrintable) {
  Table table({{"A"}});
  table.Add({"\x1b[31m"});

  EXPECT_EQ(Render(table.Render(10), false), "A\n?[31m\n");
}

TEST(SortedTableTest, ANumberSortsLargestFirstAndEqualOnesByName) {
  SortedTable table({{"NAME"}}, {"name", "size"});
  table.Add({"a"}, {1});
  table.Add({"b"}, {3});
  table.Add({"c"}, {3});

  const auto sorted = [&table](std::size_t key, bool is_reversed) {
    SortedTable copy = table;
    copy.Sort(key, is_reversed);
    return Render(copy.table().Render(10), false);
  };
  EXPECT_EQ(sorted(0, false), "NAME\na\nb\nc\n");
  EXPECT_EQ(sorted(1, false), "NAME\nb\nc\na\n");
  EXPECT_EQ(sorted(1, true), "NAME\na\nc\nb\n");
  EXPECT_EQ(sorted(9, false), "NAME\na\nb\nc\n");
}

}  // namespace
}  // namespace pgvalet::cli

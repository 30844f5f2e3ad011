#include "cli/screen/format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace pgvalet::cli {
namespace {

TEST(FormatTest, CountsStayWholeAsLongAsTheyFit) {
  EXPECT_EQ(Count(0), "0");
  EXPECT_EQ(Count(99999), "99999");
  EXPECT_EQ(Count(100000), "100k");
  EXPECT_EQ(Count(12345678), "12.3M");
  EXPECT_EQ(Count(999999999), "1.0G");
  EXPECT_EQ(Count(std::numeric_limits<std::int64_t>::max()), "9223P");
}

TEST(FormatTest, RatesShowThatThereIsSomething) {
  EXPECT_EQ(Rate(0), "0");
  EXPECT_EQ(Rate(0.01), "<0.1");
  EXPECT_EQ(Rate(0.4), "0.4");
  EXPECT_EQ(Rate(456.7), "457");
  EXPECT_EQ(Rate(12345), "12.3k");
  EXPECT_EQ(Rate(std::nan("")), "0");
}

TEST(FormatTest, SizesCountAsPostgresqlDoes) {
  EXPECT_EQ(Size(0), "0");
  EXPECT_EQ(Size(512), "512B");
  EXPECT_EQ(Size(1024), "1.0kB");
  EXPECT_EQ(Size(34.0 * 1024 * 1024), "34.0MB");
}

TEST(FormatTest, ElapsedHasTwoUnitsAtMost) {
  EXPECT_EQ(Elapsed(0), "0");
  EXPECT_EQ(Elapsed(-5), "0");
  EXPECT_EQ(Elapsed(850), "850us");
  EXPECT_EQ(Elapsed(1200), "1.2ms");
  EXPECT_EQ(Elapsed(340000), "340ms");
  EXPECT_EQ(Elapsed(2500000), "2.5s");
  EXPECT_EQ(Elapsed(190'000'000), "3m10s");
  EXPECT_EQ(Elapsed(7'500'000'000), "2h05m");
  EXPECT_EQ(Elapsed(273'600'000'000), "3d04h");
}

TEST(FormatTest, PercentOfLittleIsNotNothing) {
  EXPECT_EQ(Percent(0), "0%");
  EXPECT_EQ(Percent(0.001), "<1%");
  EXPECT_EQ(Percent(0.455), "46%");
  EXPECT_EQ(Percent(2.5), "250%");
}

TEST(FormatTest, ABarIsEmptyOnlyWhenNothingIsUsed) {
  EXPECT_EQ(Bar(0, 12).plain(), "[          ]");
  EXPECT_EQ(Bar(0.01, 12).plain(), "[|         ]");
  EXPECT_EQ(Bar(0.5, 12).plain(), "[|||||     ]");
  EXPECT_EQ(Bar(7, 12).plain(), "[||||||||||]");
  EXPECT_EQ(Bar(std::nan(""), 12).plain(), "[          ]");
  EXPECT_EQ(Bar(1, 0).plain(), "[]");
}

TEST(FormatTest, ABarWarnsAsItFills) {
  EXPECT_EQ(Bar(0.5, 12).spans()[1].style, Style::kGood);
  EXPECT_EQ(Bar(0.7, 12).spans()[1].style, Style::kWarning);
  EXPECT_EQ(Bar(0.9, 12).spans()[1].style, Style::kBad);
}

TEST(FormatTest, AMissingMomentHasNoDistance) {
  google::protobuf::Timestamp none, early, late;
  early.set_seconds(10);
  late.set_seconds(12);
  late.set_nanos(500'000'000);

  EXPECT_EQ(Between(early, late), 2'500'000);
  EXPECT_EQ(Between(late, early), 0);
  EXPECT_EQ(Between(none, late), 0);
  EXPECT_EQ(Moment(early), "1970-01-01 00:00:10 UTC");
}

}  // namespace
}  // namespace pgvalet::cli

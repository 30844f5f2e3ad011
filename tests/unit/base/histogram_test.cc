#include "base/histogram.h"

#include <gtest/gtest.h>

namespace pgvalet {
namespace {

TEST(HistogramTest, EveryValueIsInABucketThatHoldsIt) {
  for (std::uint64_t us = 0; us < 100'000; us = us < 100 ? us + 1 : us * 21 / 20) {
    const int bucket = Histogram::BucketOf(us);
    EXPECT_LE(us, HistogramData::UpperBound(bucket));
    if (bucket > 0) {
      EXPECT_GT(us, HistogramData::UpperBound(bucket - 1));
    }
  }
}

TEST(HistogramTest, BoundIsAtMostAQuarterAboveTheValue) {
  for (std::uint64_t us = 4; us < 10'000'000; us = us * 9 / 8 + 1) {
    EXPECT_LE(HistogramData::UpperBound(Histogram::BucketOf(us)), us + us / 4);
  }
}

TEST(HistogramTest, LongestValuesShareTheLastBucket) {
  EXPECT_EQ(Histogram::BucketOf(UINT64_MAX), HistogramData::kBuckets - 1);
  EXPECT_GT(HistogramData::UpperBound(HistogramData::kBuckets - 1), 4u * 3600 * 1'000'000);
}

TEST(HistogramTest, PercentilesOfNothingAreZero) {
  EXPECT_EQ(HistogramData().Percentile(0.99), 0u);
}

TEST(HistogramTest, PercentileIsTheBoundThatSoManyDoNotExceed) {
  Histogram histogram;
  for (int i = 0; i < 99; ++i) histogram.Record(1);
  histogram.Record(1000);

  const HistogramData data = histogram.Copy();

  EXPECT_EQ(data.total(), 100u);
  EXPECT_EQ(data.sum_us, 99u + 1000u);
  EXPECT_EQ(data.Percentile(0.50), 1u);
  EXPECT_EQ(data.Percentile(0.99), 1u);
  EXPECT_GE(data.Percentile(1.0), 1000u);
}

TEST(HistogramTest, DifferencesAndSumsUndoEachOther) {
  Histogram histogram;
  histogram.Record(5);
  const HistogramData before = histogram.Copy();
  histogram.Record(7);
  histogram.Record(50);

  HistogramData since = histogram.Copy().Since(before);

  EXPECT_EQ(since.total(), 2u);
  EXPECT_EQ(since.sum_us, 57u);
  since.Add(before);
  EXPECT_EQ(since.count, histogram.Copy().count);
  EXPECT_EQ(since.sum_us, histogram.Copy().sum_us);
}

}  // namespace
}  // namespace pgvalet

#include "stats/reported_pools.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace pgvalet::stats {
namespace {

using namespace std::chrono_literals;

ReportedPool Of(const std::string& application, const std::string& name, std::int64_t in_use = 0) {
  ReportedPool pool;
  pool.application = application;
  pool.name = name;
  pool.in_use = in_use;
  return pool;
}

TEST(ReportedPoolsTest, ANewReportReplacesTheOldOneOfThatPoolAlone) {
  ReportedPools pools;
  const Time now{1h};
  ASSERT_TRUE(pools.Report({Of("shop", "orders", 1), Of("shop", "users", 2)}, 60s, now));
  ASSERT_TRUE(pools.Report({Of("shop", "orders", 5)}, 60s, now + 1s));
  const auto all = pools.List(now + 2s);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].first.in_use, 5);
  EXPECT_EQ(all[0].second, now + 1s);
  EXPECT_EQ(all[1].first.in_use, 2);
}

TEST(ReportedPoolsTest, APoolThatIsNotReportedAnyMoreGoesAway) {
  ReportedPools pools;
  const Time now{1h};
  ASSERT_TRUE(pools.Report({Of("shop", "orders")}, 10s, now));
  ASSERT_TRUE(pools.Report({Of("shop", "users")}, 60s, now));
  EXPECT_EQ(pools.List(now + 9s).size(), 2U);
  EXPECT_EQ(pools.List(now + 10s).size(), 1U);
}

TEST(ReportedPoolsTest, MoreThanTheLimitAreRefusedUntilOthersAreGone) {
  ReportedPools pools;
  const Time now{1h};
  std::vector<ReportedPool> many;
  for (std::size_t i = 0; i < ReportedPools::kMaxPools; ++i) {
    many.push_back(Of("shop", std::to_string(i)));
  }
  ASSERT_TRUE(pools.Report(many, 10s, now));
  EXPECT_TRUE(pools.Report({Of("shop", "1", 3)}, 10s, now)) << "it is there already";
  const auto refused = pools.Report({Of("shop", "one more")}, 10s, now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
  EXPECT_TRUE(pools.Report({Of("shop", "one more")}, 10s, now + 11s));
}

}  // namespace
}  // namespace pgvalet::stats

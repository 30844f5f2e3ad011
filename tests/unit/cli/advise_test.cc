#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "cli/advise/advice_report.h"
#include "sample_snapshot.h"

namespace pgvalet::cli::advise {
namespace {

using testing::HasSubstr;
using testing::Not;

// Ten seconds apart: 1000 leases, 0.05 s each.
struct AdviseTest : testing::Test {
  AdviseTest() : earlier(AgentSnapshot()), later(AgentSnapshot()) {
    later.mutable_time()->set_seconds(kNow + 10);
    Count(AddPool(&earlier, "app", "alice"), 500, 1'000'000);
    Count(AddPool(&later, "app", "alice"), 1500, 51'000'000);
  }
  static void Count(v1::Pool* pool, std::int64_t leases, std::int64_t held_us) {
    pool->mutable_totals()->set_lease_count(leases);
    pool->mutable_totals()->mutable_transaction_time()->set_sum_us(held_us);
  }
  std::string Text() const { return Render(ReportLines(Measure(earlier, later, {}), 1000), false); }

  v1::Snapshot earlier, later;
};

TEST_F(AdviseTest, OnlyWhatHappenedInBetweenCounts) {
  const MeasuredReport report = Measure(earlier, later, {});

  ASSERT_EQ(report.pools.size(), 1U);
  EXPECT_DOUBLE_EQ(report.pools[0].load.leases_per_s, 100);
  EXPECT_DOUBLE_EQ(report.pools[0].load.held_s, 0.05);
  EXPECT_EQ(report.pools[0].advised_size,
            advice::SizeForLoad({.leases_per_s = 100, .held_s = 0.05}).pool_size);
}

TEST_F(AdviseTest, TheArithmeticAndTheSettingAreShown) {
  const std::string text = Text();

  EXPECT_THAT(text, HasSubstr("measured for 10.0s"));
  EXPECT_THAT(text, HasSubstr("app/alice\n  100.0 leases per second, each held for 50.000 ms"));
  EXPECT_THAT(text, HasSubstr("100.0/s x 0.050000 s = 5.00 server connections"));
  EXPECT_THAT(text, HasSubstr("[databases.app]\npool_size = "));
}

TEST_F(AdviseTest, APoolThatCameBackBeganAtZero) {
  Count(earlier.mutable_pools(0), 1'000'000, 1);

  EXPECT_DOUBLE_EQ(Measure(earlier, later, {}).pools[0].load.leases_per_s, 150);
}

TEST_F(AdviseTest, SessionPoolsAndPoolsWithoutLoadGetNoAdvice) {
  later.mutable_pools(0)->set_pool_mode("session");
  AddPool(&later, "idle", "bob");

  const std::string text = Text();

  EXPECT_THAT(text, HasSubstr("session mode cannot be measured"));
  EXPECT_THAT(text, HasSubstr("idle/bob\n  no load was measured"));
  EXPECT_THAT(text, Not(HasSubstr("pool_size =")));
}

TEST_F(AdviseTest, ADatabaseGetsTheLargestSizeOfItsPoolsAndAQuotedNameWhereItNeedsOne) {
  earlier.mutable_pools(0)->set_database("a b");
  later.mutable_pools(0)->set_database("a b");
  v1::Pool* other = AddPool(&later, "a b", "bob");
  Count(other, 10, 1000);

  const MeasuredReport report = Measure(earlier, later, {});
  const std::string text = Render(ReportLines(report, 1000), false);

  ASSERT_GT(*report.pools[0].advised_size, *report.pools[1].advised_size);
  EXPECT_THAT(text, HasSubstr("[databases.\"a b\"]\npool_size = " +
                              std::to_string(*report.pools[0].advised_size) + "\n"));
}

TEST_F(AdviseTest, MoreThanTheServerHasIsSaid) {
  AddServer(&later);
  later.mutable_extension()->mutable_summary()->set_max_connections(5);

  EXPECT_THAT(Text(), HasSubstr("ordinary roles may have 2 on the server: too many"));
}

TEST_F(AdviseTest, NoPoolIsNoError) {
  later.clear_pools();

  EXPECT_THAT(Text(), HasSubstr("no pools"));
}

TEST_F(AdviseTest, JsonHasTheSameNumbers) {
  const auto json = nlohmann::json::parse(ReportToJson(Measure(earlier, later, {})));

  EXPECT_EQ(json["measured_us"], 10'000'000);
  EXPECT_EQ(json["pools"][0]["pool_size"], 20);
  EXPECT_EQ(json["pools"][0]["leases_per_s"], 100);
  EXPECT_GT(json["pools"][0]["advised_pool_size"], 5);
  EXPECT_TRUE(json["room"].is_null());
}

TEST(AdvisePlanTest, ArithmeticAndSettingsOfAFleetAreShown) {
  PlannedReport report;
  report.fleet = {.workers = 40,
                  .connections_per_worker = 10,
                  .max_connections = 100,
                  .reserved_connections = 3,
                  .pools = 2};
  report.source = "as given";
  report.advice = advice::SizeForFleet(report.fleet);

  const std::string text = Render(ReportLines(report), false);

  EXPECT_THAT(text, HasSubstr("40 workers x 10 connections = 400 clients"));
  EXPECT_THAT(text, HasSubstr("303 connections would be refused"));
  EXPECT_THAT(text, HasSubstr("default_pool_size = 38\nmax_client_conn = 500\n"));
  EXPECT_EQ(nlohmann::json::parse(ReportToJson(report))["pool_size"], 38);
}

}  // namespace
}  // namespace pgvalet::cli::advise

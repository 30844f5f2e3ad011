#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "cli/loadtest/plan.h"
#include "cli/loadtest/report.h"
#include "cli/loadtest/tally.h"

namespace pgvalet::cli::loadtest {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

Error Refused() {
  return {ErrorCode::kServer, "the server says no", 0, "too many clients", "53300"};
}

RunResult RunOf(int succeeded, int refused) {
  RunResult run;
  for (int i = 1; i <= succeeded; ++i) run.tally.Succeeded(Duration(i * 1000));
  if (refused > 0) run.tally.Failed(Refused(), refused);
  run.elapsed = 2s;
  return run;
}

TEST(LoadTallyTest, PercentilesAreExact) {
  const Latencies latencies = RunOf(200, 0).tally.latencies();

  EXPECT_EQ(latencies.p50_us, 100'000);
  EXPECT_EQ(latencies.p90_us, 180'000);
  EXPECT_EQ(latencies.p95_us, 190'000);
  EXPECT_EQ(latencies.p99_us, 198'000);
  EXPECT_EQ(latencies.max_us, 200'000);
}

TEST(LoadTallyTest, NothingAtAllIsNoDivisionByZero) {
  const Tally tally;

  EXPECT_EQ(tally.percent_succeeded(), 0);
  EXPECT_EQ(tally.latencies().max_us, 0);
  EXPECT_TRUE(tally.causes().empty());
}

TEST(LoadTallyTest, FailuresAreCountedBySqlstateTheMostFrequentFirst) {
  Tally tally;
  tally.Failed({ErrorCode::kIo, "", 0, "Connection refused"});
  tally.Failed({ErrorCode::kServer, "", 0, "too many clients", "53300"});
  tally.Failed({ErrorCode::kServer, "", 0, "too many of another kind", "53300"});

  const auto causes = tally.causes();

  ASSERT_EQ(causes.size(), 2U);
  EXPECT_EQ(causes[0].sqlstate, "53300");
  EXPECT_EQ(causes[0].message, "too many clients");
  EXPECT_EQ(causes[0].count, 2);
  EXPECT_EQ(causes[1].message, "Connection refused");
}

TEST(LoadPlanTest, RequestsAreSpreadEvenlyFromTheFirstMomentOn) {
  LoadPlan plan;
  plan.requests = 100;
  plan.duration = 10s;

  EXPECT_EQ(DueAfter(plan, 0), 0s);
  EXPECT_EQ(DueAfter(plan, 1), 100ms);
  EXPECT_EQ(DueAfter(plan, 99), 9900ms);
}

TEST(LoadPlanTest, ATransactionIsThreeStatements) {
  LoadPlan plan;
  plan.script = Script::kTransaction;

  EXPECT_EQ(StatementsOf(plan), (std::vector<std::string>{"BEGIN", "SELECT 1", "COMMIT"}));
}

TEST(LoadReportTest, BothRunsStandSideBySideWithTheirFailures) {
  Report report{{}, RunOf(100, 0), RunOf(60, 40)};
  report.pool.pool_connections = 5;
  report.direct->database_connections = 30;
  report.direct->database_connections_before = 3;

  const std::string text = Render(ReportLines(report, 1000), false);

  EXPECT_THAT(text, HasSubstr("POOL"));
  EXPECT_THAT(text, HasSubstr("DIRECT"));
  EXPECT_THAT(text, HasSubstr("100 %  60.0 %"));
  EXPECT_THAT(text, HasSubstr("direct: 40 x 53300 too many clients"));
  EXPECT_THAT(text,
              HasSubstr("Through the pool 100 % of 100 requests succeeded with at most 5 server "
                        "connections. Directly 60.0 % of 100 requests succeeded with at most 27 "
                        "server connections; 40 did not: 53300, too many clients."));
}

TEST(LoadReportTest, NearlyAllIsNotAll) {
  const Report report{{}, RunOf(99'999, 1), {}};

  EXPECT_THAT(OutcomeOf(report), HasSubstr("99.9 % of 100000"));
}

TEST(LoadReportTest, WhatIsNotKnownIsNoRowAndNullForPrograms) {
  const Report report{{}, RunOf(1, 0), {}};

  EXPECT_THAT(Render(ReportLines(report, 1000), false), Not(HasSubstr("backends")));
  const auto json = nlohmann::json::parse(ReportToJson(report));
  EXPECT_TRUE(json["direct"].is_null());
  EXPECT_TRUE(json["pool"]["pool_connections"].is_null());
  EXPECT_EQ(json["pool"]["latency_us"]["max"], 1000);
  EXPECT_EQ(json["plan"]["script"], "connect");
}

TEST(LoadReportTest, ARunThatWasEndedBeforeItBeganSaysSo) {
  Report report{{}, {}, RunOf(1, 0)};
  report.direct->interrupted = true;

  EXPECT_THAT(OutcomeOf(report),
              HasSubstr("Through the pool nothing was measured. Directly 100 %"));
  EXPECT_THAT(Render(ReportLines(report, 1000), false), Not(HasSubstr("0.0 %")));
}

TEST(LoadReportTest, ARunThatWasEndedEarlySaysSo) {
  Report report{{}, RunOf(1, 0), {}};
  report.pool.interrupted = true;

  EXPECT_THAT(OutcomeOf(report), HasSubstr("Ended early"));
}

}  // namespace
}  // namespace pgvalet::cli::loadtest

#include "sampler/decode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "result_maker.h"
#include "sampler/queries.h"

namespace pgvalet::sampler {
namespace {

stats::BackendRow SomeBackend() {
  stats::BackendRow row;
  row.pid = 4711;
  row.database_name = "app";
  row.role_name = "björn";
  row.application_name = "psql";
  row.client_addr = "10.0.0.1/32";
  row.client_port = 50000;
  row.connection_kind = "agent";
  row.agent_name = "a1";
  row.state = "idle in transaction";
  row.state_since = stats::WallTime(std::chrono::seconds(1700000000));
  row.connected_at = stats::WallTime(std::chrono::microseconds(1600000000000001));
  row.login_us = 1500;
  row.costs.xact_commit_count = 1;
  row.costs.wal_bytes = std::numeric_limits<std::int64_t>::max();
  row.costs.idle_in_transaction_us = -1;
  return row;
}

std::vector<ResultPtr> SampleResults(const std::vector<Row>& backends) {
  std::vector<ResultPtr> results;
  results.push_back(MakeResult(backends, CellsOf(SomeBackend())));
  for (int i = 0; i < 3; ++i) results.push_back(MakeResult({CellsOf(stats::UsageRow{})}));
  results.push_back(MakeResult({CellsOf(stats::SummaryRow{})}));
  return results;
}

TEST(DecodeTest, ABackendComesBackWithEveryColumn) {
  const ResultPtr result = MakeResult({CellsOf(SomeBackend())});
  bool cut = false;

  auto rows = DecodeBackends(result.get(), &cut);

  ASSERT_TRUE(rows.has_value()) << rows.error().ToString();
  ASSERT_EQ(rows->size(), 1u);
  const stats::BackendRow& row = (*rows)[0];
  const stats::BackendRow wanted = SomeBackend();
  EXPECT_EQ(row.pid, wanted.pid);
  EXPECT_EQ(row.role_name, wanted.role_name);
  EXPECT_EQ(row.client_addr, "10.0.0.1");
  EXPECT_EQ(row.client_port, wanted.client_port);
  EXPECT_EQ(row.state, wanted.state);
  EXPECT_EQ(row.state_since, wanted.state_since);
  EXPECT_EQ(row.connected_at, wanted.connected_at);
  EXPECT_EQ(row.costs, wanted.costs);
  EXPECT_FALSE(cut);
}

TEST(DecodeTest, NullLeavesTheDefault) {
  Row cells = CellsOf(SomeBackend());
  for (Cell& cell : cells) cell = Null(cell);
  const ResultPtr result = MakeResult({cells});
  bool cut = false;

  auto rows = DecodeBackends(result.get(), &cut);

  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ((*rows)[0].pid, 0);
  EXPECT_EQ((*rows)[0].client_addr, "");
  EXPECT_EQ((*rows)[0].state_since, stats::WallTime{});
  EXPECT_EQ((*rows)[0].costs, stats::SessionCosts{});
}

TEST(DecodeTest, NoRowsAreNoError) {
  const ResultPtr result = MakeResult({}, CellsOf(SomeBackend()));
  bool cut = false;

  auto rows = DecodeBackends(result.get(), &cut);

  ASSERT_TRUE(rows.has_value());
  EXPECT_TRUE(rows->empty());
}

TEST(DecodeTest, AColumnOfAnotherTypeIsRefusedByName) {
  Row cells = CellsOf(SomeBackend());
  cells[0] = Int8(1);
  const ResultPtr result = MakeResult({cells});
  bool cut = false;

  auto rows = DecodeBackends(result.get(), &cut);

  ASSERT_FALSE(rows.has_value());
  EXPECT_EQ(rows.error().detail, "pid has another type");
}

TEST(DecodeTest, TooFewAndTooManyColumnsAreRefused) {
  bool cut = false;
  Row few = CellsOf(SomeBackend());
  few.pop_back();
  Row many = CellsOf(SomeBackend());
  many.push_back(Int4(1));

  EXPECT_FALSE(DecodeBackends(MakeResult({few}).get(), &cut).has_value());
  EXPECT_FALSE(DecodeBackends(MakeResult({many}).get(), &cut).has_value());
}

TEST(DecodeTest, EveryWrongLengthOfEveryCellIsRefusedOrReadWithoutACrash) {
  const Row whole = CellsOf(SomeBackend());
  for (std::size_t column = 0; column < whole.size(); ++column) {
    for (std::size_t length = 0; length < 10; ++length) {
      Row cells = whole;
      cells[column].bytes = std::string(length, '\xFF');
      bool cut = false;
      auto rows = DecodeBackends(MakeResult({cells}).get(), &cut);
      if (cells[column].type == 25) {
        EXPECT_TRUE(rows.has_value());
      } else if (length != whole[column].bytes.size()) {
        EXPECT_FALSE(rows.has_value());
      }
    }
  }
}

TEST(DecodeTest, TextFormatIsRefused) {
  bool cut = false;

  auto rows = DecodeBackends(MakeResult({CellsOf(SomeBackend())}, {}, 0).get(), &cut);

  ASSERT_FALSE(rows.has_value());
  EXPECT_EQ(rows.error().detail, "pid is not in binary format");
}

TEST(DecodeTest, InfinityIsNoMomentAndNotANumberIsNoShare) {
  bool cut = false;
  Row cells = CellsOf(SomeBackend());
  cells.back() = TimestampTz(std::numeric_limits<std::int64_t>::max());  // state_since
  stats::SummaryRow summary;
  summary.used_share = std::nan("");

  auto rows = DecodeBackends(MakeResult({cells}).get(), &cut);
  auto share = DecodeSummary(MakeResult({CellsOf(summary)}).get());

  ASSERT_FALSE(rows.has_value());
  EXPECT_EQ(rows.error().detail, "state_since has a value that cannot be read");
  ASSERT_FALSE(share.has_value());
  EXPECT_EQ(share.error().detail, "used_share has a value that cannot be read");
}

TEST(DecodeTest, RowsBeyondTheCapAreCutAndSaid) {
  const std::vector<Row> many(kMaxRows + 1, CellsOf(SomeBackend()));

  auto sample = DecodeSample(SampleResults(many));

  ASSERT_TRUE(sample.has_value()) << sample.error().ToString();
  EXPECT_TRUE(sample->available);
  EXPECT_EQ(sample->backends.size(), kMaxRows);
  EXPECT_EQ(sample->reason, "only the first 5000 rows of a view are kept");
}

TEST(DecodeTest, AWholeSampleIsAvailableWithoutAReason) {
  auto sample = DecodeSample(SampleResults({CellsOf(SomeBackend())}));

  ASSERT_TRUE(sample.has_value());
  EXPECT_TRUE(sample->available);
  EXPECT_EQ(sample->reason, "");
  EXPECT_EQ(sample->usage_by_database.size(), 1u);
}

TEST(DecodeTest, ErrorsNameTheView) {
  auto results = SampleResults({CellsOf(SomeBackend())});
  results[4] = MakeResult({}, CellsOf(stats::SummaryRow{}));

  auto sample = DecodeSample(results);

  ASSERT_FALSE(sample.has_value());
  EXPECT_EQ(sample.error().detail, "pgvalet.summary: not exactly one row");
}

TEST(DecodeTest, SentencesOfAdviceAreKeptLongerThanNames) {
  const auto rows =
      DecodeAdvice(MakeResult({{Text("warning"), Text("leak"), Text("backend 1"),
                                Text(std::string(700, 'f')), Text(std::string(5000, 'a'))}})
                       .get());

  ASSERT_TRUE(rows.has_value());
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().severity, "warning");
  EXPECT_EQ(rows->front().rule, "leak");
  EXPECT_EQ(rows->front().subject, "backend 1");
  EXPECT_EQ(rows->front().finding, std::string(700, 'f'));
  EXPECT_EQ(rows->front().action, std::string(1000, 'a'));
}

TEST(DecodeTest, AdviceOfAnotherShapeIsRefused) {
  EXPECT_FALSE(DecodeAdvice(MakeResult({{Text("warning"), Int8(1)}}).get()).has_value());
}

TEST(DecodeTest, AMissingResultIsRefused) { EXPECT_FALSE(DecodeSample({}).has_value()); }

TEST(DecodeTest, TheProbeTellsTheVersionOrItsAbsence) {
  auto there = DecodeProbe(MakeResult({{Text("1.0")}}).get());
  auto absent = DecodeProbe(MakeResult({{Null(Text(""))}}).get());
  auto odd = DecodeProbe(MakeResult({}, {Text("")}).get());

  ASSERT_TRUE(there.has_value());
  EXPECT_EQ(*there, "1.0");
  ASSERT_TRUE(absent.has_value());
  EXPECT_EQ(*absent, std::nullopt);
  EXPECT_FALSE(odd.has_value());
}

}  // namespace
}  // namespace pgvalet::sampler

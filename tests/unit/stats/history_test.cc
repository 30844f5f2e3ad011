#include "stats/history.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace pgvalet::stats {
namespace {

using namespace std::chrono_literals;

// Snapshots a second apart of pools that count.
class Snapshots {
 public:
  Snapshot Next(std::uint64_t transactions, std::int64_t waiting = 0) {
    ++seconds_;
    Snapshot snapshot;
    snapshot.time = WallTime(1h + std::chrono::seconds(seconds_));
    snapshot.steady_time = Time(1h + std::chrono::seconds(seconds_));
    PoolSnapshot pool;
    pool.database = "app";
    pool.user = "alice";
    pool.totals.transactions = transactions;
    pool.totals.leases = transactions;
    pool.now.clients_waiting = waiting;
    snapshot.pools.push_back(pool);
    snapshot.totals = pool.totals;
    return snapshot;
  }

 private:
  int seconds_ = 0;
};

TEST(HistoryTest, AStepHasTheRatesOfItsTimeAndTheHighestQueue) {
  History history;
  Snapshots snapshots;
  for (int i = 0; i <= 25; ++i) {
    history.Add(snapshots.Next(static_cast<std::uint64_t>(i) * 100, i == 5 ? 7 : 0));
  }
  const auto pools = history.Pools("", "", {});
  ASSERT_EQ(pools.size(), 1U);
  EXPECT_EQ(pools[0].user, "alice");
  ASSERT_EQ(pools[0].points.size(), 2U);
  EXPECT_DOUBLE_EQ(pools[0].points[0].window.transactions_per_s, 100);
  EXPECT_EQ(pools[0].points[0].now.clients_waiting, 7);
  EXPECT_EQ(pools[0].points[1].now.clients_waiting, 0);
  EXPECT_EQ(history.Totals({}).points.size(), 2U);
  EXPECT_EQ(history.Totals(pools[0].points[0].at).points.size(), 1U);
  EXPECT_EQ(history.Pools("app", "bob", {}).size(), 0U);
}

TEST(HistoryTest, APoolThatComesBackAtZeroHasNoRatesOutOfThisWorld) {
  History history;
  Snapshots snapshots;
  for (int i = 0; i < 8; ++i) history.Add(snapshots.Next(1'000'000));
  for (int i = 0; i < 30; ++i) history.Add(snapshots.Next(10));
  for (const auto& series : history.Pools("", "", {})) {
    for (const auto& point : series.points) EXPECT_LT(point.window.transactions_per_s, 1000);
  }
}

TEST(HistoryTest, KeepsAnHourAndSoManyPools) {
  History history;
  Snapshots snapshots;
  for (int i = 0; i < 4000; ++i) history.Add(snapshots.Next(1));
  EXPECT_EQ(history.Totals({}).points.size(), History::kMaxPoints);

  Snapshot crowd = snapshots.Next(1);
  for (int i = 0; i < 300; ++i) {
    crowd.pools.emplace_back().database = "d" + std::to_string(i);
  }
  history.Add(crowd);
  EXPECT_EQ(history.Pools("", "", {}).size(), History::kMaxPools);
}

}  // namespace
}  // namespace pgvalet::stats

// How counters of cores become one snapshot: sums, windows, differences, percentiles.
#include "stats/snapshot_builder.h"

#include <gtest/gtest.h>

#include <chrono>

#include "stats/process_usage.h"

namespace pgvalet::stats {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct SnapshotBuilderTest : testing::Test {
  Registry registry;
  Moment now{WallTime{seconds(1'700'000'000)}, Time{seconds(1000)}};
  SnapshotBuilder builder{registry, now};

  // The snapshot `later` after the one before.
  SnapshotPtr BuildAfter(Duration later) {
    now.wall += later;
    now.steady += later;
    return builder.Build(
        {.now = now, .interval = seconds(1), .status = {}, .process = {}, .extension = nullptr});
  }

  std::shared_ptr<PoolCounters> AddPool(const char* database, const char* user, int core = 0) {
    return registry.AddPool(database, user, "transaction", core);
  }
};

TEST_F(SnapshotBuilderTest, CountsSnapshotsFromOneWithoutGap) {
  EXPECT_EQ(BuildAfter(seconds(1))->sequence, 1U);
  EXPECT_EQ(BuildAfter(seconds(1))->sequence, 2U);
}

TEST_F(SnapshotBuilderTest, CarriesTheMomentAndTheInterval) {
  const SnapshotPtr snapshot = BuildAfter(seconds(3));

  EXPECT_EQ(snapshot->time, WallTime{seconds(1'700'000'003)});
  EXPECT_EQ(snapshot->window, seconds(3));
  EXPECT_EQ(snapshot->interval, seconds(1));
  EXPECT_EQ(snapshot->agent.uptime_us, 3'000'000);
}

TEST_F(SnapshotBuilderTest, SumsThePartsOfAPoolOverCores) {
  const auto first = AddPool("app", "alice", 0);
  const auto second = AddPool("app", "alice", 1);
  first->clients_active.Set(2);
  second->clients_active.Set(3);
  first->servers_idle.Set(1);
  second->servers_idle.Set(4);
  first->queries.Add(10);
  second->queries.Add(5);

  const SnapshotPtr snapshot = BuildAfter(seconds(1));

  ASSERT_EQ(snapshot->pools.size(), 1U);
  EXPECT_EQ(snapshot->pools[0].now.clients_active, 5);
  EXPECT_EQ(snapshot->pools[0].now.servers_idle, 5);
  EXPECT_EQ(snapshot->pools[0].totals.queries, 15U);
}

TEST_F(SnapshotBuilderTest, DoesNotMultiplyThePoolSizeByTheNumberOfCores) {
  AddPool("app", "alice", 0)->pool_size.Set(20);
  AddPool("app", "alice", 1)->pool_size.Set(20);

  EXPECT_EQ(BuildAfter(seconds(1))->pools.at(0).now.pool_size, 20);
}

TEST_F(SnapshotBuilderTest, OrdersPoolsByDatabaseThenUser) {
  AddPool("b", "a");
  AddPool("a", "z");
  AddPool("a", "b");

  const SnapshotPtr snapshot = BuildAfter(seconds(1));

  ASSERT_EQ(snapshot->pools.size(), 3U);
  EXPECT_EQ(snapshot->pools[0].user, "b");
  EXPECT_EQ(snapshot->pools[1].user, "z");
  EXPECT_EQ(snapshot->pools[2].database, "b");
}

TEST_F(SnapshotBuilderTest, RatesCoverOnlyTheLastWindow) {
  const auto pool = AddPool("app", "alice");
  pool->transactions.Add(1000);
  BuildAfter(seconds(1));
  pool->transactions.Add(50);
  pool->to_clients_bytes.Add(4096);

  const SnapshotPtr snapshot = BuildAfter(seconds(2));

  EXPECT_EQ(snapshot->pools[0].totals.transactions, 1050U);
  EXPECT_DOUBLE_EQ(snapshot->pools[0].window.transactions_per_s, 25.0);
  EXPECT_DOUBLE_EQ(snapshot->pools[0].window.to_clients_bytes_per_s, 2048.0);
  EXPECT_DOUBLE_EQ(snapshot->totals_window.transactions_per_s, 25.0);
}

TEST_F(SnapshotBuilderTest, APoolThatAppearsIsCountedFromZero) {
  BuildAfter(seconds(1));
  AddPool("app", "alice")->queries.Add(7);

  EXPECT_DOUBLE_EQ(BuildAfter(seconds(1))->pools.at(0).window.queries_per_s, 7.0);
}

TEST_F(SnapshotBuilderTest, PercentilesCoverOnlyTheLastWindow) {
  const auto pool = AddPool("app", "alice");
  for (int i = 0; i < 1000; ++i) pool->query_time.Record(1'000'000);
  BuildAfter(seconds(1));
  for (int i = 0; i < 98; ++i) pool->query_time.Record(100);
  pool->query_time.Record(5000);
  pool->query_time.Record(5000);

  const Percentiles query_time = BuildAfter(seconds(1))->pools.at(0).window.query_time;

  EXPECT_EQ(query_time.count, 100U);
  EXPECT_GE(query_time.p50_us, 100U);
  EXPECT_LE(query_time.p50_us, 125U);
  EXPECT_EQ(query_time.p90_us, query_time.p50_us);
  EXPECT_GE(query_time.p99_us, 5000U);
  EXPECT_LE(query_time.max_us, 6250U);
}

TEST_F(SnapshotBuilderTest, PercentilesOfAnEmptyWindowAreZero) {
  const auto pool = AddPool("app", "alice");
  pool->wait_time.Record(77);
  BuildAfter(seconds(1));

  const Percentiles wait_time = BuildAfter(seconds(1))->pools.at(0).window.wait_time;

  EXPECT_EQ(wait_time.count, 0U);
  EXPECT_EQ(wait_time.max_us, 0U);
}

TEST_F(SnapshotBuilderTest, HistogramsStayCumulative) {
  const auto pool = AddPool("app", "alice");
  pool->wait_time.Record(10);
  BuildAfter(seconds(1));
  pool->wait_time.Record(30);

  const SnapshotPtr snapshot = BuildAfter(seconds(1));

  EXPECT_EQ(snapshot->pools[0].totals.wait_time.total(), 2U);
  EXPECT_EQ(snapshot->pools[0].totals.wait_time.sum_us, 40U);
}

TEST_F(SnapshotBuilderTest, KeepsWhatAPartOfAPoolCountedWhenItsCoreGivesItUp) {
  const auto stays = AddPool("app", "alice", 0);
  const auto leaves = AddPool("app", "alice", 1);
  leaves->queries.Add(10);
  BuildAfter(seconds(1));
  leaves->queries.Add(4);
  stays->queries.Add(1);
  registry.RemovePool(leaves);

  const SnapshotPtr snapshot = BuildAfter(seconds(1));

  EXPECT_EQ(snapshot->pools.at(0).totals.queries, 15U);
  EXPECT_DOUBLE_EQ(snapshot->pools.at(0).window.queries_per_s, 5.0);
  EXPECT_EQ(BuildAfter(seconds(1))->pools.at(0).totals.queries, 15U);
}

TEST_F(SnapshotBuilderTest, APoolThatVanishedLeavesTheListButNotTheTotals) {
  const auto pool = AddPool("app", "alice");
  pool->transactions.Add(3);
  BuildAfter(seconds(1));
  pool->transactions.Add(2);
  registry.RemovePool(pool);

  const SnapshotPtr snapshot = BuildAfter(seconds(1));

  EXPECT_TRUE(snapshot->pools.empty());
  EXPECT_EQ(snapshot->totals.transactions, 5U);
  EXPECT_DOUBLE_EQ(snapshot->totals_window.transactions_per_s, 2.0);
  EXPECT_EQ(BuildAfter(seconds(1))->totals.transactions, 5U);
}

TEST_F(SnapshotBuilderTest, APoolThatLivedBetweenTwoSnapshotsIsInTheTotals) {
  const auto pool = AddPool("app", "alice");
  pool->transactions.Add(9);
  registry.RemovePool(pool);

  EXPECT_EQ(BuildAfter(seconds(1))->totals.transactions, 9U);
}

TEST_F(SnapshotBuilderTest, APoolThatComesBackStartsAtZero) {
  const auto pool = AddPool("app", "alice");
  pool->queries.Add(100);
  BuildAfter(seconds(1));
  registry.RemovePool(pool);
  BuildAfter(milliseconds(10));  // out of turn
  AddPool("app", "alice")->queries.Add(5);

  const SnapshotPtr snapshot = BuildAfter(seconds(1));

  EXPECT_EQ(snapshot->pools.at(0).totals.queries, 5U);
  EXPECT_DOUBLE_EQ(snapshot->pools.at(0).window.queries_per_s, 5.0);
  EXPECT_EQ(snapshot->totals.queries, 105U);
}

TEST_F(SnapshotBuilderTest, ASnapshotOutOfTurnDoesNotShortenTheNextWindow) {
  const auto pool = AddPool("app", "alice");
  BuildAfter(seconds(1));
  pool->queries.Add(10);
  const SnapshotPtr out_of_turn = BuildAfter(milliseconds(100));
  pool->queries.Add(10);

  const SnapshotPtr regular = BuildAfter(milliseconds(900));

  EXPECT_EQ(out_of_turn->window, milliseconds(100));
  EXPECT_EQ(regular->window, seconds(1));
  EXPECT_DOUBLE_EQ(regular->pools.at(0).window.queries_per_s, 20.0);
}

TEST_F(SnapshotBuilderTest, LongestWaitIsThatOfTheCoreWhoseFirstClientWaitsLongest) {
  const auto us = [](Time time) {
    return std::chrono::duration_cast<Duration>(time.time_since_epoch()).count();
  };
  AddPool("app", "alice", 0)->oldest_wait_start_us.Set(us(now.steady + milliseconds(700)));
  AddPool("app", "alice", 1)->oldest_wait_start_us.Set(us(now.steady + milliseconds(400)));
  AddPool("app", "alice", 2)->oldest_wait_start_us.Set(0);

  EXPECT_EQ(BuildAfter(seconds(1))->pools.at(0).now.longest_wait_us, 600'000);
}

TEST_F(SnapshotBuilderTest, LongestWaitIsZeroWhenNobodyWaits) {
  AddPool("app", "alice");

  EXPECT_EQ(BuildAfter(seconds(1))->pools.at(0).now.longest_wait_us, 0);
}

TEST_F(SnapshotBuilderTest, CoresGiveTheAgentTheirSumsAndKeepTheirBusyShare) {
  const auto second = registry.AddCore(1);
  const auto first = registry.AddCore(0);
  first->clients.Set(4);
  second->clients.Set(6);
  second->accepted.Add(9);
  first->busy_us.Add(5'000'000);
  BuildAfter(seconds(10));
  first->busy_us.Add(250'000);
  second->busy_us.Add(3'000'000);

  const AgentHealth agent = BuildAfter(seconds(1))->agent;

  EXPECT_EQ(agent.clients, 10);
  EXPECT_EQ(agent.accepted, 9U);
  ASSERT_EQ(agent.cores.size(), 2U);
  EXPECT_EQ(agent.cores[0].core, 0);
  EXPECT_DOUBLE_EQ(agent.cores[0].busy_share, 0.25);
  EXPECT_DOUBLE_EQ(agent.cores[1].busy_share, 1.0);  // never above 1
}

TEST_F(SnapshotBuilderTest, SaysThatTheExtensionWasNotReadYet) {
  const SnapshotPtr snapshot = BuildAfter(seconds(1));

  ASSERT_NE(snapshot->extension, nullptr);
  EXPECT_FALSE(snapshot->extension->available);
  EXPECT_EQ(snapshot->extension->reason, "The extension has not been read yet.");
}

TEST(ProcessUsageTest, SeesMemoryDescriptorsAndTimeOfThisProcess) {
  const ProcessUsage usage = ReadProcessUsage();

  EXPECT_GT(usage.resident_bytes, 1 << 20);
  EXPECT_GE(usage.open_fds, 3);
  EXPECT_GE(usage.max_fds, usage.open_fds);
  EXPECT_GT(usage.cpu_user_us + usage.cpu_system_us, 0);
}

}  // namespace
}  // namespace pgvalet::stats

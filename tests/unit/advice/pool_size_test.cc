// Pool sizes, against cases worked out by hand.
#include "advice/pool_size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace pgvalet::advice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Offered load 1.  B(2) = 0.2, so C(2) = 1/3; B(3) = 1/16, C(3) = 1/11; B(4) = 1/65, C(4) = 1/49.
constexpr Load kOneErlang{.leases_per_s = 1, .held_s = 1};

TEST(PoolSizeTest, TheShareThatWaitsIsErlangsCFormula) {
  EXPECT_NEAR(ShareThatWaits(kOneErlang, 2, 0), 1.0 / 3, 1e-12);
  EXPECT_NEAR(ShareThatWaits(kOneErlang, 3, 0), 1.0 / 11, 1e-12);
  EXPECT_NEAR(ShareThatWaits(kOneErlang, 4, 0), 1.0 / 49, 1e-12);
}

TEST(PoolSizeTest, WithOneServerItIsTheUtilization) {
  EXPECT_NEAR(ShareThatWaits({.leases_per_s = 30, .held_s = 0.01}, 1, 0), 0.3, 1e-12);
}

TEST(PoolSizeTest, LongerWaitsFallExponentiallyWithTheSpareRate) {
  EXPECT_NEAR(ShareThatWaits(kOneErlang, 3, 1), std::exp(-2.0) / 11, 1e-12);
}

TEST(PoolSizeTest, APoolThatCannotKeepUpMakesAllWait) {
  EXPECT_EQ(ShareThatWaits(kOneErlang, 1, 100), 1);
  EXPECT_EQ(ShareThatWaits(kOneErlang, 0, 100), 1);
}

// Longer than 1 s wait: e^-1/3 = 12 % of 2, e^-2/11 = 1.2 % of 3, e^-3/49 = 0.1 % of 4.
TEST(PoolSizeTest, TheSmallestPoolThatMeetsTheGoalIsAdvised) {
  EXPECT_EQ(SizeForLoad(kOneErlang, {.wait_s = 1, .share = 0.8}).pool_size, 2);
  EXPECT_EQ(SizeForLoad(kOneErlang, {.wait_s = 1, .share = 0.98}).pool_size, 3);
  EXPECT_EQ(SizeForLoad(kOneErlang, {.wait_s = 1, .share = 0.99}).pool_size, 4);
}

TEST(PoolSizeTest, TheArithmeticIsShown) {
  const PoolSizeAdvice advice = SizeForLoad(kOneErlang, {.wait_s = 1, .share = 0.99});

  EXPECT_THAT(
      advice.arithmetic,
      ElementsAre("1.0 leases per second, each held for 1000.000 ms in the mean",
                  "busy in the mean (Little's law): 1.0/s x 1.000000 s = 1.00 server connections",
                  "goal: at most 1.00 % of leases wait longer than 1000.0 ms",
                  "with 4 server connections (M/M/c, Erlang C): 2.04 % wait, 0.10 % longer than "
                  "1000.0 ms; they are busy 25 % of the time",
                  "pool_size = 4"));
}

TEST(PoolSizeTest, ALoadOfHundredsNeedsLittleMoreThanIsBusy) {
  const Load load{.leases_per_s = 50'000, .held_s = 0.008};  // 400 busy
  const std::int64_t size = SizeForLoad(load).pool_size;

  EXPECT_GT(size, 400);
  EXPECT_LT(size, 440);
  EXPECT_LE(ShareThatWaits(load, size, 0.010), 0.01);
  EXPECT_GT(ShareThatWaits(load, size - 1, 0.010), 0.01);
}

TEST(PoolSizeTest, NoLoadAndNonsenseNeedOne) {
  EXPECT_EQ(SizeForLoad({}).pool_size, 1);
  EXPECT_EQ(SizeForLoad({.leases_per_s = -1, .held_s = 1}).pool_size, 1);
  EXPECT_EQ(SizeForLoad({.leases_per_s = 1, .held_s = std::nan("")}).pool_size, 1);
  EXPECT_EQ(
      SizeForLoad({.leases_per_s = std::numeric_limits<double>::infinity(), .held_s = 1}).pool_size,
      1);
}

TEST(PoolSizeTest, AGoalThatNoPoolMeetsEnds) {
  EXPECT_LT(SizeForLoad(kOneErlang, {.wait_s = 0, .share = 1}).pool_size, 1000);
}

TEST(PoolSizeTest, ALoadIsReadFromCounters) {
  stats::PoolTotals counted;
  counted.leases = 600;
  counted.transaction_time.sum_us = 3'000'000;

  const Load load = LoadOf(counted, std::chrono::seconds(60));

  EXPECT_DOUBLE_EQ(load.leases_per_s, 10);
  EXPECT_DOUBLE_EQ(load.held_s, 0.005);
  EXPECT_EQ(LoadOf({}, std::chrono::seconds(60)).leases_per_s, 0);
  EXPECT_EQ(LoadOf(counted, Duration{0}).leases_per_s, 0);
}

TEST(FleetTest, MoreClientsThanTheServerHasRoomForArePooled) {
  const FleetAdvice advice =
      SizeForFleet({.workers = 40, .connections_per_worker = 10, .max_connections = 100});

  EXPECT_EQ(advice.pool_size, 77);
  EXPECT_EQ(advice.max_client_conn, 500);
  EXPECT_FALSE(advice.fits_without_pool);
  EXPECT_THAT(advice.arithmetic,
              ElementsAre("40 workers x 10 connections = 400 clients",
                          "max_connections 100 - 3 reserved = 97 for ordinary roles",
                          "without a pool: 400 - 97 = 303 connections would be refused",
                          "a fifth stays free: 97 x 0.8 = 77, for 1 pool: 77 each",
                          "pool_size = min(400, 77) = 77",
                          "max_client_conn = 400 clients and a quarter more = 500"));
}

TEST(FleetTest, FewClientsGetAConnectionEach) {
  const FleetAdvice advice =
      SizeForFleet({.workers = 4, .connections_per_worker = 5, .max_connections = 100});

  EXPECT_EQ(advice.pool_size, 20);
  EXPECT_TRUE(advice.fits_without_pool);
  EXPECT_THAT(advice.arithmetic[2], HasSubstr("20 of 97 would be taken"));
}

TEST(FleetTest, SeveralPoolsShareTheServer) {
  EXPECT_EQ(SizeForFleet({.workers = 100,
                          .connections_per_worker = 10,
                          .max_connections = 203,
                          .reserved_connections = 3,
                          .pools = 4})
                .pool_size,
            40);
}

TEST(FleetTest, NonsenseStillGivesOne) {
  EXPECT_EQ(SizeForFleet({.workers = -5, .connections_per_worker = 3}).pool_size, 1);
  EXPECT_EQ(
      SizeForFleet({.workers = 5, .connections_per_worker = 3, .max_connections = 0}).pool_size, 1);
  EXPECT_EQ(SizeForFleet({.workers = std::numeric_limits<std::int64_t>::max(),
                          .connections_per_worker = std::numeric_limits<std::int64_t>::max(),
                          .pools = 0})
                .pool_size,
            77);
}

}  // namespace
}  // namespace pgvalet::advice

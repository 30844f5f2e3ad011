#include "stats/event_log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

namespace pgvalet::stats {
namespace {

using namespace std::chrono_literals;

Event Of(const std::string& kind, const std::string& database = "", const std::string& text = "") {
  return {.kind = kind, .database = database, .message = text};
}

TEST(EventLogTest, NumbersWithoutGapInTheOrderOfArrival) {
  EventLog log;
  log.Add(Of("a"));
  log.Add(Of("b"));
  const EventLog::Page page = log.Since(0, 10);
  ASSERT_EQ(page.events.size(), 2U);
  EXPECT_EQ(page.events[0].sequence, 1U);
  EXPECT_EQ(page.events[1].kind, "b");
  EXPECT_EQ(page.events[1].sequence, 2U);
  EXPECT_NE(page.events[0].at, WallTime{});
  EXPECT_EQ(page.next, 2U);
  EXPECT_EQ(log.Since(2, 10).events.size(), 0U);
}

TEST(EventLogTest, SaysHowManyAReaderLost) {
  EventLog log(3);
  for (int i = 0; i < 10; ++i) log.Add(Of("a"));
  const EventLog::Page late = log.Since(2, 10);
  EXPECT_EQ(late.lost, 5U);  // 3 to 7
  ASSERT_EQ(late.events.size(), 3U);
  EXPECT_EQ(late.events.front().sequence, 8U);
  EXPECT_EQ(log.Since(7, 10).lost, 0U);
  EXPECT_EQ(log.Since(0, 10).lost, 0U) << "who asks for what there is misses nothing";
}

TEST(EventLogTest, GivesPagesAndANumberOfAnotherProcessMeansTheBeginning) {
  EventLog log;
  for (int i = 0; i < 5; ++i) log.Add(Of("a"));
  const EventLog::Page first = log.Since(0, 2);
  EXPECT_EQ(first.events.size(), 2U);
  EXPECT_EQ(first.next, 2U);
  EXPECT_EQ(log.Since(first.next, 2).events.front().sequence, 3U);
  EXPECT_EQ(log.Since(999, 10).events.size(), 5U);
}

TEST(EventLogTest, OfManyAlikeKeepsTheFirstAndTheLastAndCountsTheOthers) {
  EventLog log;
  const Time begin{1h};
  for (int i = 0; i < 6; ++i)
    log.AddLimited(Of("login_refused", "app", std::to_string(i)), begin + i * 1s);
  log.AddLimited(Of("login_refused", "other", "x"), begin);
  EXPECT_EQ(log.newest(), 2U);

  log.EndQuietTimes(begin + 9s);
  EXPECT_EQ(log.newest(), 2U) << "its quiet time is not over";
  log.EndQuietTimes(begin + 10s);
  const EventLog::Page page = log.Since(2, 10);
  ASSERT_EQ(page.events.size(), 1U);
  EXPECT_EQ(page.events[0].message, "5");
  EXPECT_EQ(page.events[0].left_out, 4U);

  log.AddLimited(Of("login_refused", "app", "7"), begin + 12s);
  EXPECT_EQ(log.newest(), 3U) << "it goes on, so it stays quiet";
  log.AddLimited(Of("login_refused", "app", "8"), begin + 30s);
  EXPECT_EQ(log.newest(), 5U) << "the one kept back comes before";
}

TEST(EventLogTest, MadeUpNamesDoNotFillTheMemory) {
  EventLog log(100);
  const Time begin{1h};
  for (int i = 0; i < 5000; ++i) log.AddLimited(Of("login_refused", std::to_string(i)), begin);
  EXPECT_LT(log.newest(), 1100U);
}

TEST(EventLogTest, TextsThatAreNotUtf8AreMadeSo) {
  EventLog log;
  log.Add(Of("a", "d\xff", std::string(3000, 'x')));
  const Event event = log.Since(0, 1).events.front();
  EXPECT_EQ(event.database, "d?");
  EXPECT_EQ(event.message.size(), 1000U);
}

TEST(EventLogTest, WaitEndsWithAnEventOrAStop) {
  EventLog log;
  std::jthread writer([&] { log.Add(Of("a")); });
  EXPECT_TRUE(log.WaitNewer(0, {}));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(log.WaitNewer(1, stop.get_token()));
}

}  // namespace
}  // namespace pgvalet::stats

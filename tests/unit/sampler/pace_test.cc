#include "sampler/pace.h"

#include <gtest/gtest.h>

namespace pgvalet::sampler {
namespace {

using namespace std::chrono_literals;

struct PaceTest : testing::Test {
  PaceTest() {
    target.interval = 1s;
    target.longest_pause = 15s;
  }
  Target target;
  Pace pace;
  const Time start = Time(1000s);
};

TEST_F(PaceTest, ReadsOneIntervalAfterTheLastStart) {
  EXPECT_EQ(pace.NextAfter(start, start + 300ms, true, target), start + 1s);
}

TEST_F(PaceTest, GivesASlowServerARest) {
  EXPECT_EQ(pace.NextAfter(start, start + 3s, true, target), start + 4s);
}

TEST_F(PaceTest, PausesLongerAfterEachFailureUpToTheLimit) {
  Duration pauses[8];

  for (Duration& pause : pauses) pause = Since(start, pace.NextAfter(start, start, false, target));

  const Duration wanted[8] = {500ms, 1s, 2s, 4s, 8s, 15s, 15s, 15s};
  for (int i = 0; i < 8; ++i) EXPECT_EQ(pauses[i], wanted[i]) << i;
}

TEST_F(PaceTest, BeginsAnewAfterASuccess) {
  for (int i = 0; i < 5; ++i) pace.NextAfter(start, start, false, target);
  pace.NextAfter(start, start, true, target);

  EXPECT_EQ(pace.NextAfter(start, start, false, target), start + 500ms);
}

}  // namespace
}  // namespace pgvalet::sampler

#include "cli/top/top_state.h"

#include <gtest/gtest.h>

namespace pgvalet::cli {
namespace {

const Extent kExtent{.rows = 25, .page = 10, .sort_keys = 3};

TopState Press(TopState state, std::initializer_list<Key> keys) {
  for (const Key key : keys) state = Apply(state, key, kExtent);
  return state;
}

TEST(TopStateTest, ScrollingStopsAtBothEnds) {
  EXPECT_EQ(Press({}, {Key::kUp}).first[0], 0u);
  EXPECT_EQ(Press({}, {Key::kDown, Key::kDown, Key::kUp}).first[0], 1u);
  EXPECT_EQ(Press({}, {Key::kPageDown, Key::kPageDown, Key::kPageDown}).first[0], 15u);
  EXPECT_EQ(Press({}, {Key::kEnd, Key::kDown}).first[0], 15u);
  EXPECT_EQ(Press({}, {Key::kEnd, Key::kPageUp}).first[0], 5u);
  EXPECT_EQ(Press({}, {Key::kEnd, Key::kHome}).first[0], 0u);
}

TEST(TopStateTest, ATableThatShrankPullsTheWindowBack) {
  TopState state = Press({}, {Key::kEnd});

  state = Apply(state, Key::kUp, Extent{.rows = 12, .page = 10, .sort_keys = 3});

  EXPECT_EQ(state.first[0], 1u);
}

TEST(TopStateTest, EachViewRemembersItsPlaceAndOrder) {
  const TopState state =
      Press({}, {Key::kSort, Key::kDown, Key::kBackends, Key::kSort, Key::kSort, Key::kPools});

  EXPECT_EQ(state.view, View::kPools);
  EXPECT_EQ(state.sort[0], 1u);
  EXPECT_EQ(state.sort[1], 2u);
  EXPECT_EQ(state.first[0], 1u);
  EXPECT_EQ(state.first[1], 0u);
}

TEST(TopStateTest, SortGoesAround) {
  EXPECT_EQ(Press({}, {Key::kSort, Key::kSort, Key::kSort}).sort[0], 0u);
}

TEST(TopStateTest, UsagePressedAgainChangesTheGrouping) {
  EXPECT_EQ(Press({}, {Key::kUsage}).usage_by, UsageBy::kRole);
  EXPECT_EQ(Press({}, {Key::kUsage, Key::kUsage}).usage_by, UsageBy::kDatabase);
  EXPECT_EQ(Press({}, {Key::kUsage, Key::kUsage, Key::kUsage}).usage_by, UsageBy::kApplication);
  EXPECT_EQ(Press({}, {Key::kUsage, Key::kUsage, Key::kPools, Key::kUsage}).usage_by,
            UsageBy::kDatabase);
}

TEST(TopStateTest, PauseIsAToggleAndQuitIsFinal) {
  EXPECT_TRUE(Press({}, {Key::kPause}).paused);
  EXPECT_FALSE(Press({}, {Key::kPause, Key::kPause}).paused);
  EXPECT_TRUE(Press({}, {Key::kQuit, Key::kDown}).quit);
}

}  // namespace
}  // namespace pgvalet::cli

#include "cli/top/top_state.h"

#include <gtest/gtest.h>

namespace pgvalet::cli {
namespace {

const Extent kExtent{.rows = 25, .page = 10, .sort_keys = 3};

TopState Press(TopState state, std::initializer_list<Key> keys) {
  for (const Key key : keys) state = Apply(state, key, kExtent);
  return state;
}

TEST(TopStateTest, TheSelectionStopsAtBothEnds) {
  EXPECT_EQ(Press({}, {Key::kUp}).selected[0], 0u);
  EXPECT_EQ(Press({}, {Key::kDown, Key::kDown, Key::kUp}).selected[0], 1u);
  EXPECT_EQ(Press({}, {Key::kPageDown, Key::kPageDown, Key::kPageDown}).selected[0], 24u);
  EXPECT_EQ(Press({}, {Key::kEnd, Key::kDown}).selected[0], 24u);
  EXPECT_EQ(Press({}, {Key::kEnd, Key::kPageUp}).selected[0], 14u);
  EXPECT_EQ(Press({}, {Key::kEnd, Key::kHome}).selected[0], 0u);
}

TEST(TopStateTest, TheWindowFollowsTheSelection) {
  EXPECT_EQ(Press({}, {Key::kDown}).first[0], 0u);
  EXPECT_EQ(Press({}, {Key::kPageDown}).first[0], 1u);
  EXPECT_EQ(Press({}, {Key::kEnd}).first[0], 15u);
  EXPECT_EQ(Press({}, {Key::kEnd, Key::kUp}).first[0], 15u);
  EXPECT_EQ(Press({}, {Key::kEnd, Key::kPageUp}).first[0], 14u);
  EXPECT_EQ(Press({}, {Key::kEnd, Key::kHome}).first[0], 0u);
}

TEST(TopStateTest, ATableThatShrankPullsTheWindowBack) {
  TopState state = Press({}, {Key::kEnd});

  state = Apply(state, Key::kUp, Extent{.rows = 12, .page = 10, .sort_keys = 3});

  EXPECT_EQ(state.selected[0], 10u);
  EXPECT_EQ(state.first[0], 2u);
}

TEST(TopStateTest, AnEmptyTableHasNothingToGoInto) {
  const Extent empty{.rows = 0, .page = 10, .sort_keys = 3};
  TopState state = Apply({}, Key::kDown, empty);
  EXPECT_EQ(state.selected[0], 0u);
  state = Apply(state, Key::kEnter, empty);
  EXPECT_EQ(state.view, View::kPools);
}

TEST(TopStateTest, EachViewRemembersItsPlaceAndOrder) {
  const TopState state = Press({}, {Key::kSort, Key::kDown, Key::kBackends, Key::kSort, Key::kSort,
                                    Key::kReverse, Key::kPools});

  EXPECT_EQ(state.view, View::kPools);
  const std::size_t backends = static_cast<std::size_t>(View::kBackends);
  EXPECT_EQ(state.sort[0], 1u);
  EXPECT_EQ(state.sort[backends], 2u);
  EXPECT_EQ(state.selected[0], 1u);
  EXPECT_EQ(state.selected[backends], 0u);
  EXPECT_FALSE(state.reversed[0]);
  EXPECT_TRUE(state.reversed[backends]);
}

TEST(TopStateTest, EnterGoesFromAPoolToItsClientsToABackendAndBackAgain) {
  Extent extent = kExtent;
  extent.selected = {.database = "shop", .user = "web", .server_pid = 4711};
  TopState state = Apply({}, Key::kEnter, extent);
  EXPECT_EQ(state.view, View::kClients);
  EXPECT_EQ(state.chosen, (Chosen{Chosen::Kind::kPool, "shop", "web"}));
  EXPECT_TRUE(state.needs_connections());

  state = Apply(state, Key::kEnter, extent);
  EXPECT_EQ(state.view, View::kBackend);
  EXPECT_EQ(state.server_pid, 4711);

  state = Apply(state, Key::kBack, extent);
  EXPECT_EQ(state.view, View::kClients);
  state = Apply(state, Key::kBack, extent);
  EXPECT_EQ(state.view, View::kPools);
  EXPECT_EQ(state.chosen, Chosen{});
  EXPECT_EQ(Apply(state, Key::kBack, extent).view, View::kPools);
}

TEST(TopStateTest, AClientWithoutABackendHasNothingBelow) {
  Extent extent = kExtent;
  extent.selected = {.database = "shop", .user = "web"};
  TopState state = Apply({}, Key::kClients, extent);
  EXPECT_EQ(Apply(state, Key::kEnter, extent).view, View::kClients);
}

TEST(TopStateTest, APoolStaysChosenWhereThatMakesSense) {
  Extent extent = kExtent;
  extent.selected = {.database = "shop", .user = "web"};
  const TopState clients = Apply({}, Key::kEnter, extent);
  EXPECT_EQ(Apply(clients, Key::kBackends, extent).chosen.kind, Chosen::Kind::kPool);
  EXPECT_EQ(Apply(clients, Key::kUsage, extent).chosen.kind, Chosen::Kind::kAll);
  EXPECT_EQ(Apply(clients, Key::kPools, extent).chosen.kind, Chosen::Kind::kAll);
}

TEST(TopStateTest, UsageLeadsToTheBackendsOfItsRow) {
  Extent extent = kExtent;
  extent.selected = {.database = "x", .user = "x", .application_name = "x"};
  TopState state = Apply({}, Key::kUsage, extent);
  EXPECT_EQ(Apply(state, Key::kEnter, extent).chosen, (Chosen{Chosen::Kind::kRole, "", "x"}));
  state = Apply(state, Key::kUsage, extent);
  const TopState backends = Apply(state, Key::kEnter, extent);
  EXPECT_EQ(backends.chosen, (Chosen{Chosen::Kind::kDatabase, "", "x"}));
  EXPECT_EQ(backends.view, View::kBackends);
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

#include "wire/session_state.h"

#include <gtest/gtest.h>

#include <thread>

namespace pgvalet::wire {
namespace {

using Values = SettingList;

TEST(SessionStateTest, EqualSettingsAreOneObject) {
  StateStore store;

  const StateRef one = store.FromStartup({{"TimeZone", "UTC"}, {"application_name", "a"}});
  const StateRef two = store.FromStartup({{"application_name", "a"}, {"timezone", "UTC"}});

  EXPECT_EQ(one, two);
  EXPECT_EQ(one->startup, (Values{{"application_name", "a"}, {"timezone", "UTC"}}));
}

TEST(SessionStateTest, DifferentSettingsAreNot) {
  StateStore store;
  // Names and values that are the same text when they are written one behind the other.
  EXPECT_NE(store.FromStartup({{"ab", "c"}}), store.FromStartup({{"a", "bc"}}));
  EXPECT_NE(store.FromStartup({{"a", "b"}, {"c", "d"}}),
            store.FromStartup({{"a", "bc"}, {"d", ""}}));
}

TEST(SessionStateTest, NoSettingsAreAnObjectToo) {
  StateStore store;

  EXPECT_NE(store.none(), nullptr);
  EXPECT_EQ(store.FromStartup({}), store.none());
}

TEST(SessionStateTest, OfANameGivenTwiceTheLastCounts) {
  StateStore store;

  EXPECT_EQ(store.FromStartup({{"a", "1"}, {"b", "2"}, {"A", "3"}})->startup,
            (Values{{"a", "3"}, {"b", "2"}}));
}

TEST(SessionStateTest, WithSetsWhatIsInForceAndKeepsWhatStartupBrought) {
  StateStore store;
  const StateRef base = store.FromStartup({{"b", "1"}});

  const StateRef more = store.With(base, "a", "2");
  EXPECT_EQ(more->startup, (Values{{"b", "1"}}));
  EXPECT_EQ(more->session, (Values{{"a", "2"}}));
  const StateRef other = store.With(base, "b", "2");
  EXPECT_EQ(*other->Find("b"), "2");
  EXPECT_EQ(other->startup, (Values{{"b", "1"}}));
  EXPECT_EQ(store.With(other, "b", "3")->session, (Values{{"b", "3"}}));
  EXPECT_EQ(store.With(base, "b", "1"), base);
  EXPECT_EQ(*store.With(store.none(), "a", "")->Find("a"), "");
}

TEST(SessionStateTest, FindKnowsWhatIsNotThere) {
  StateStore store;
  const StateRef settings = store.FromStartup({{"b", "1"}, {"d", "2"}});

  EXPECT_EQ(*settings->Find("d"), "2");
  for (const char* absent : {"a", "c", "e", ""}) EXPECT_EQ(settings->Find(absent), nullptr);
}

TEST(SessionStateTest, SettingsThatNobodyHoldsAreMadeAnew) {
  StateStore store;
  for (int i = 0; i < 500; ++i) {  // enough to sweep the table of the dead
    const StateRef settings = store.FromStartup({{"a", std::to_string(i)}});
    EXPECT_EQ(*settings->Find("a"), std::to_string(i));
  }
  EXPECT_EQ(*store.FromStartup({{"a", "7"}})->Find("a"), "7");
}

TEST(SessionStateTest, ThreadsGetTheSameObjects) {
  StateStore store;
  std::vector<std::vector<StateRef>> found(4);
  std::vector<std::thread> threads;
  for (auto& mine : found) {
    threads.emplace_back([&store, &mine] {
      for (int i = 0; i < 300; ++i) mine.push_back(store.FromStartup({{"a", std::to_string(i)}}));
    });
  }
  for (std::thread& thread : threads) thread.join();

  for (const auto& mine : found) EXPECT_EQ(mine, found[0]);
}

// ---- what the extension says ----

TEST(SessionStateTest, OfAReportIsTheOneThatStartupMade) {
  StateStore store;
  const StateRef made = store.FromStartup({{"timezone", "UTC"}, {"application_name", "a"}});

  EXPECT_EQ(made->text, "c16:application_name1:ac8:timezone3:UTC");
  EXPECT_EQ(store.FromReport(made->text), made);
  EXPECT_EQ(store.FromReport(""), store.none());
}

TEST(SessionStateTest, OfAReportKeepsWhatItDoesNotRead) {
  StateStore store;
  const std::string text = "c8:TimeZone3:UTCs5:app.x3:'1\\b9:age:' libP2:q114:PREPARE q1 ...";

  const std::optional<StateRef> state = store.FromReport(text);

  ASSERT_TRUE(state);
  EXPECT_EQ((*state)->text, text);
  EXPECT_EQ(*(*state)->Find("timezone"), "UTC");
  EXPECT_EQ(*(*state)->Find("app.x"), "'1\\");
  EXPECT_EQ((*state)->session.size(), 1u);
}

TEST(SessionStateTest, SessionSettingHidesWhatStartupBrought) {
  StateStore store;
  const std::optional<StateRef> state = store.FromReport("c1:a1:1s1:a1:2");

  ASSERT_TRUE(state);
  EXPECT_EQ(*(*state)->Find("a"), "2");
  EXPECT_EQ(RestoreSql(*store.none(), **state), "SET \"a\"=E'2';");
}

TEST(SessionStateTest, TextWithoutTheFormIsNoState) {
  StateStore store;
  for (const char* text : {"x", "c", "c1:a", "c1:a1", "c1:a2:b", "c1:a9999999999999999999999:b",
                           "c-1:a1:b", "c:a1:b", "s1:a1:bq", "P1:a", "v1:1", " c1:a1:b"}) {
    EXPECT_FALSE(store.FromReport(text)) << text;
  }
}

TEST(SessionStateTest, ServerDecidesSomeParametersAlone) {
  EXPECT_TRUE(IsServerDecided("server_version"));
  EXPECT_TRUE(IsServerDecided("is_superuser"));
  EXPECT_FALSE(IsServerDecided("timezone"));
}

// ---- RestoreSql ----

std::string Restore(Values carried, Values wanted) {
  StateStore store;
  return RestoreSql(*store.FromStartup(std::move(carried)), *store.FromStartup(std::move(wanted)));
}

TEST(RestoreSqlTest, NothingToDoIsNoSql) {
  EXPECT_EQ(Restore({}, {}), "");
  EXPECT_EQ(Restore({{"a", "1"}}, {{"a", "1"}}), "");
}

TEST(RestoreSqlTest, SetsWhatDiffersAndResetsWhatIsNotWanted) {
  EXPECT_EQ(Restore({{"a", "1"}, {"b", "2"}, {"c", "3"}}, {{"b", "2"}, {"c", "4"}, {"d", "5"}}),
            "RESET \"a\";SET \"c\"=E'4';SET \"d\"=E'5';");
}

TEST(RestoreSqlTest, QuotesLeaveNoWayOut) {
  EXPECT_EQ(Restore({}, {{"a\"b", "it's \\"}}), "SET \"a\"\"b\"=E'it''s \\\\';");
  EXPECT_EQ(Restore({{"x\";drop", ""}}, {}), "RESET \"x\"\";drop\";");
}

TEST(RestoreSqlTest, PartsOfANameAreQuotedByThemselves) {
  EXPECT_EQ(Restore({}, {{"app.user", "1"}}), "SET \"app\".\"user\"=E'1';");
}

TEST(RestoreSqlTest, ListOfNamesIsSplitByTheServer) {
  EXPECT_EQ(Restore({}, {{"search_path", "a, \"B'\""}}),
            "SELECT pg_catalog.set_config(E'search_path',E'a, \"B''\"',false);");
  EXPECT_EQ(Restore({{"search_path", "a"}}, {}), "RESET \"search_path\";");
}

}  // namespace
}  // namespace pgvalet::wire

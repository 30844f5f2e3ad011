#include "wire/settings.h"

#include <gtest/gtest.h>

#include <thread>

namespace pgvalet::wire {
namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

TEST(SettingsTest, EqualSettingsAreOneObject) {
  SettingsStore store;

  const SettingsRef one = store.Intern({{"TimeZone", "UTC"}, {"application_name", "a"}});
  const SettingsRef two = store.Intern({{"application_name", "a"}, {"timezone", "UTC"}});

  EXPECT_EQ(one, two);
  EXPECT_EQ(one->values, (Values{{"application_name", "a"}, {"timezone", "UTC"}}));
}

TEST(SettingsTest, DifferentSettingsAreNot) {
  SettingsStore store;
  // Names and values that are the same text when they are written one behind the other.
  EXPECT_NE(store.Intern({{"ab", "c"}}), store.Intern({{"a", "bc"}}));
  EXPECT_NE(store.Intern({{"a", "b"}, {"c", "d"}}), store.Intern({{"a", "bc"}, {"d", ""}}));
}

TEST(SettingsTest, NoSettingsAreAnObjectToo) {
  SettingsStore store;

  EXPECT_NE(store.none(), nullptr);
  EXPECT_EQ(store.Intern({}), store.none());
}

TEST(SettingsTest, OfANameGivenTwiceTheLastCounts) {
  SettingsStore store;

  EXPECT_EQ(store.Intern({{"a", "1"}, {"b", "2"}, {"A", "3"}})->values,
            (Values{{"a", "3"}, {"b", "2"}}));
}

TEST(SettingsTest, WithAddsAndReplaces) {
  SettingsStore store;
  const SettingsRef base = store.Intern({{"b", "1"}});

  EXPECT_EQ(store.With(base, "a", "2")->values, (Values{{"a", "2"}, {"b", "1"}}));
  EXPECT_EQ(store.With(base, "b", "2")->values, (Values{{"b", "2"}}));
  EXPECT_EQ(store.With(base, "b", "1"), base);
  EXPECT_EQ(*store.With(store.none(), "a", "")->Find("a"), "");
}

TEST(SettingsTest, FindKnowsWhatIsNotThere) {
  SettingsStore store;
  const SettingsRef settings = store.Intern({{"b", "1"}, {"d", "2"}});

  EXPECT_EQ(*settings->Find("d"), "2");
  for (const char* absent : {"a", "c", "e", ""}) EXPECT_EQ(settings->Find(absent), nullptr);
}

TEST(SettingsTest, SettingsThatNobodyHoldsAreMadeAnew) {
  SettingsStore store;
  for (int i = 0; i < 500; ++i) {  // enough to sweep the table of the dead
    const SettingsRef settings = store.Intern({{"a", std::to_string(i)}});
    EXPECT_EQ(*settings->Find("a"), std::to_string(i));
  }
  EXPECT_EQ(*store.Intern({{"a", "7"}})->Find("a"), "7");
}

TEST(SettingsTest, ThreadsGetTheSameObjects) {
  SettingsStore store;
  std::vector<std::vector<SettingsRef>> found(4);
  std::vector<std::thread> threads;
  for (auto& mine : found) {
    threads.emplace_back([&store, &mine] {
      for (int i = 0; i < 300; ++i) mine.push_back(store.Intern({{"a", std::to_string(i)}}));
    });
  }
  for (std::thread& thread : threads) thread.join();

  for (const auto& mine : found) EXPECT_EQ(mine, found[0]);
}

TEST(SettingsTest, ServerDecidesSomeParametersAlone) {
  EXPECT_TRUE(IsServerDecided("server_version"));
  EXPECT_TRUE(IsServerDecided("is_superuser"));
  EXPECT_FALSE(IsServerDecided("timezone"));
}

// ---- RestoreSql ----

std::string Restore(Values carried, Values wanted) {
  SettingsStore store;
  return RestoreSql(*store.Intern(std::move(carried)), *store.Intern(std::move(wanted)));
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

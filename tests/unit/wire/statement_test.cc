#include "wire/statement.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace pgvalet::wire {
namespace {

TEST(StatementStoreTest, SameTextIsTheSameStatement) {
  StatementStore store;

  const StatementPtr one = store.Intern("select 1");
  const StatementPtr two = store.Intern("select 1");
  const StatementPtr other = store.Intern("select 2");

  EXPECT_EQ(one, two);
  EXPECT_NE(one, other);
  EXPECT_NE(one->server_name, other->server_name);
  EXPECT_NE(one->id, other->id);
  EXPECT_EQ(one->tail, "select 1");
  EXPECT_EQ(store.size(), 2u);
}

TEST(StatementStoreTest, StatementThatNobodyHoldsIsForgotten) {
  StatementStore store;
  std::uint64_t id = 0;
  {
    const StatementPtr statement = store.Intern("select 1");
    id = statement->id;
  }
  EXPECT_EQ(store.size(), 0u);

  // Its name is not used again: a server connection may still have it.
  EXPECT_NE(store.Intern("select 1")->id, id);
}

TEST(StatementStoreTest, StatementsOutliveTheirStore) {
  auto store = std::make_unique<StatementStore>();
  const StatementPtr statement = store->Intern("select 1");

  store.reset();

  EXPECT_EQ(statement->tail, "select 1");
}

TEST(StatementStoreTest, ThreadsShareAndForget) {
  StatementStore store;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&store, t] {
      for (int i = 0; i < 2000; ++i) {
        const std::string text = "select " + std::to_string((i + t) % 5);
        const StatementPtr one = store.Intern(text);
        const StatementPtr two = store.Intern(text);
        ASSERT_EQ(one, two);
        ASSERT_EQ(one->tail, text);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(store.size(), 0u);
}

TEST(ClientStatementsTest, KnowsItsNames) {
  StatementStore store;
  ClientStatements statements;
  EXPECT_EQ(statements.Find("a"), nullptr);
  EXPECT_EQ(statements.size(), 0u);
  statements.Erase("a");

  statements.Set("a", store.Intern("1"));
  statements.Set("b", store.Intern("2"));
  statements.Set("a", store.Intern("3"));

  EXPECT_EQ((*statements.Find("a"))->tail, "3");
  EXPECT_EQ(statements.Find("c"), nullptr);
  EXPECT_EQ(statements.size(), 2u);
  statements.Erase("a");
  statements.Erase("a");
  EXPECT_EQ(statements.Find("a"), nullptr);
  statements.Erase("b");
  EXPECT_EQ(statements.size(), 0u);
  statements.Set("a", store.Intern("1"));
  statements.Clear();
  EXPECT_EQ(statements.size(), 0u);
}

TEST(StatementStoreTest, PrivateStatementIsGivenToNobodyElse) {
  StatementStore store;
  const StatementPtr shared = store.Intern("text", {}, 3);
  const StatementPtr own = store.MakePrivate("text", 0);
  const StatementPtr other = store.MakePrivate("text", 0);

  EXPECT_EQ(store.Intern("text", {}, 3), shared);
  EXPECT_NE(own, other);
  EXPECT_NE(own->server_name, other->server_name);
  EXPECT_EQ(own->tail, "text");
  EXPECT_TRUE(own->is_private);
  EXPECT_FALSE(shared->is_private);
  EXPECT_EQ(store.size(), 1u);
}

TEST(ServerStatementsTest, OldestIsTheOneNotUsedForLongest) {
  StatementStore store;
  const StatementPtr a = store.Intern("a"), b = store.Intern("b"), c = store.Intern("c");
  ServerStatements held;
  held.Add(a);
  held.Add(b);
  held.Add(c);
  EXPECT_EQ(held.Oldest(), a);

  EXPECT_TRUE(held.Touch(*a));
  EXPECT_EQ(held.Oldest(), b);
  held.Add(b);  // again: used just now
  EXPECT_EQ(held.size(), 3u);
  EXPECT_EQ(held.Oldest(), c);

  held.Remove(*c);
  held.Remove(*c);
  EXPECT_EQ(held.Oldest(), a);
  EXPECT_FALSE(held.Touch(*c));
  EXPECT_FALSE(held.Holds(*c));
  EXPECT_TRUE(held.Holds(*a));
  held.Clear();
  EXPECT_EQ(held.size(), 0u);
  EXPECT_FALSE(held.Holds(*a));
}

}  // namespace
}  // namespace pgvalet::wire

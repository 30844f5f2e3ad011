// What is read out of the text of a statement before the server has seen it.
#include "session/statement_text.h"

#include <gtest/gtest.h>

#include "session/text_meaning.h"

namespace pgvalet::session {
namespace {

TEST(DeallocatedNameTest, IsReadAsTheServerReadsIt) {
  EXPECT_EQ(DeallocatedName("DEALLOCATE s"), "s");
  EXPECT_EQ(DeallocatedName(" deallocate\nPREPARE Some_Name ;"), "some_name");
  EXPECT_EQ(DeallocatedName("DEALLOCATE \"Some Name\""), "Some Name");
  EXPECT_EQ(DeallocatedName("DEALLOCATE"), "");
  EXPECT_EQ(DeallocatedName("DEALLOCATE s; SELECT 1"), "");
  EXPECT_EQ(DeallocatedName("DEALLOCATE \"s"), "");
  EXPECT_EQ(DeallocatedName("SELECT 1"), "");
  EXPECT_EQ(DeallocatedName(""), "");
}

TEST(ControlsTransactionTest, KnowsTheFirstWord) {
  for (const char* sql : {"BEGIN", " begin;", "Start Transaction", "COMMIT AND CHAIN", "end",
                          "ROLLBACK TO s", "abort", "SAVEPOINT s", "release s"}) {
    EXPECT_TRUE(ControlsTransaction(sql)) << sql;
  }
  for (const char* sql : {"", " ", "SELECT 1", "SET a = 1", "beginning", "b", "/* BEGIN */ SET x",
                          "COMMIT PREPARED 'x'", "rollback\nprepared 'x'"}) {
    EXPECT_FALSE(ControlsTransaction(sql)) << sql;
  }
}

TEST(MayDropStatementsTest, KnowsTheFirstWord) {
  EXPECT_TRUE(MayDropStatements(" ;DISCARD ALL"));
  EXPECT_TRUE(MayDropStatements("deallocate all"));
  EXPECT_FALSE(MayDropStatements("SELECT 'DISCARD ALL'"));
  EXPECT_FALSE(MayDropStatements("discarded"));
  EXPECT_TRUE(HasDropOfStatements("SELECT 1; Deallocate ALL"));
  EXPECT_TRUE(HasDropOfStatements("DISCARD ALL"));
  EXPECT_FALSE(HasDropOfStatements("SELECT discarded, 'd', undiscard"));
  EXPECT_FALSE(MayDropStatements(""));
}

TEST(NamesMomentTest, FindsConstantsAndNoCalls) {
  for (const char* sql :
       {"SELECT 'now'::timestamptz", "SELECT date 'TODAY'", "SELECT timestamp 'tomorrow 10:00'",
        "now", "SELECT now(), $$yesterday$$", "SELECT 'known', 'now'", "SELECT ' Now ( )'::date"}) {
    EXPECT_TRUE(NamesMoment(sql)) << sql;
  }
  for (const char* sql :
       {"", "SELECT now()", "SELECT NOW ()", "SELECT known, nowhere, _now, now1"}) {
    EXPECT_FALSE(NamesMoment(sql)) << sql;
  }
}

TEST(ContainsWordTest, InWhicheverCase) {
  EXPECT_TRUE(ContainsWord("SELECT PG_Listening_Channels()", "pg_listening_channels"));
  EXPECT_FALSE(ContainsWord("SELECT my_pg_listening_channels()", "pg_listening_channels"));
}

TEST(TextMeaningTest, IsSharedUntilTheServerOrARequestSaysOtherwise) {
  TextMeaning meaning;
  EXPECT_FALSE(meaning.IsItsOwn());

  meaning.OnChanged();
  EXPECT_TRUE(meaning.IsItsOwn());
  meaning.OnReady(/*all_answered=*/true, /*in_transaction=*/true);
  EXPECT_TRUE(meaning.IsItsOwn());
  meaning.OnReady(/*all_answered=*/true, /*in_transaction=*/false);
  EXPECT_FALSE(meaning.IsItsOwn());

  meaning.OnQuery();
  meaning.OnReady(/*all_answered=*/false, /*in_transaction=*/false);
  EXPECT_TRUE(meaning.IsItsOwn());
  meaning.OnReady(/*all_answered=*/true, /*in_transaction=*/false);
  EXPECT_FALSE(meaning.IsItsOwn());
}

TEST(TextMeaningTest, BeginOfTheUnnamedPortalChangesNothing) {
  TextMeaning meaning;
  meaning.OnBind("", "BEGIN");
  meaning.OnExecute(/*is_unnamed=*/true);
  EXPECT_FALSE(meaning.IsItsOwn());

  TextMeaning named;
  named.OnBind("p", "BEGIN");
  named.OnExecute(/*is_unnamed=*/true);
  EXPECT_TRUE(named.IsItsOwn());

  meaning.OnBind("", "SELECT f()");
  EXPECT_FALSE(meaning.IsItsOwn());
  meaning.OnExecute(/*is_unnamed=*/true);
  EXPECT_TRUE(meaning.IsItsOwn());
}

}  // namespace
}  // namespace pgvalet::session

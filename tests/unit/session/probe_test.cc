#include "session/probe.h"

#include <gtest/gtest.h>

#include <string>

namespace pgvalet::session {
namespace {

TEST(TextMayTieTest, TextsWithoutSuchWordsDoNot) {
  for (const char* text : {"", "s", "SELECT abalance FROM pgbench_accounts WHERE aid = 4711",
                           "select setting, tem_p, pg_replication from exec where db = 'link'",
                           "UPDATE advisers SET seed = 1", "select 'tem"}) {
    EXPECT_FALSE(TextMayTie(text)) << text;
  }
}

TEST(TextMayTieTest, TextsWithSuchAWordMayWhereverItStandsAndHoweverItIsSpelled) {
  for (const std::string word : {"pg_advisory_lock", "set_config", "SetSeed", "TEMP", "Temporary",
                                 "dblink", "EXECUTE", "pg_replication_origin_session_setup"}) {
    for (std::size_t before = 0; before < 8; ++before) {
      EXPECT_TRUE(TextMayTie(std::string(before, ' ') + word)) << before << word;
      EXPECT_TRUE(TextMayTie(std::string(before, 't') + word + " x")) << before << word;
    }
    EXPECT_TRUE(TextMayTie(std::string("SELECT 1\0", 9) + word)) << word;
  }
}

TEST(TextMayTieTest, LettersOfOneAlphabetAreNotThoseOfAnother) {
  EXPECT_FALSE(TextMayTie("t\xc3\xa9mp t\xe5mp \xf4\xe5\xed\xf0"));  // same low bits
}

TEST(TagMayTieTest, TheNumbersOfATagDoNotMatter) {
  EXPECT_FALSE(TagMayTie("SELECT 1"));
  EXPECT_FALSE(TagMayTie("INSERT 0 5"));
  EXPECT_FALSE(TagMayTie("LOCK TABLE"));
  EXPECT_TRUE(TagMayTie("SET"));
  EXPECT_TRUE(TagMayTie("DECLARE CURSOR"));
}

}  // namespace
}  // namespace pgvalet::session

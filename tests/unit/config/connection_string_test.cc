#include "config/connection_string.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgvalet::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

Options Parsed(std::string_view text) {
  const Result<Options> options = ParseConnectionString(text);
  EXPECT_TRUE(options) << options.error().detail;
  return options ? *options : Options();
}

TEST(ConnectionStringTest, ReadsPairsAsLibpqWritesThem) {
  EXPECT_THAT(Parsed("host=db1  port = 5433\tuser="),
              ElementsAre(Pair("host", "db1"), Pair("port", "5433"), Pair("user", "")));
  EXPECT_THAT(Parsed("password='a b' dbname=c"),
              ElementsAre(Pair("password", "a b"), Pair("dbname", "c")));
  EXPECT_THAT(Parsed(R"(password='it\'s \\' user=a\ b)"),
              ElementsAre(Pair("password", R"(it's \)"), Pair("user", "a b")));
  EXPECT_THAT(Parsed(""), ElementsAre());
}

TEST(ConnectionStringTest, ReadsADoubledQuoteAsPgBouncerDoes) {
  EXPECT_THAT(Parsed("connect_query='SET a = ''b''' pool_size=3"),
              ElementsAre(Pair("connect_query", "SET a = 'b'"), Pair("pool_size", "3")));
}

TEST(ConnectionStringTest, ReadsUris) {
  const Options options =
      Parsed("postgresql://us%40er:p%3Aw@h1:1,[::1]:2/d%20b?application_name=x%20y");

  EXPECT_THAT(options, Contains(Pair("user", "us@er")));
  EXPECT_THAT(options, Contains(Pair("password", "p:w")));
  EXPECT_THAT(options, Contains(Pair("host", "h1,::1")));
  EXPECT_THAT(options, Contains(Pair("port", "1,2")));
  EXPECT_THAT(options, Contains(Pair("dbname", "d b")));
  EXPECT_THAT(options, Contains(Pair("application_name", "x y")));
}

TEST(ConnectionStringTest, TakesKeysInAUriThatLibpqDoesNotHave) {
  const Options options =
      Parsed("postgres://u@h/db?pool_size=3&sslmode=disable&connect_query=select%201");

  EXPECT_THAT(options, Contains(Pair("pool_size", "3")));
  EXPECT_THAT(options, Contains(Pair("connect_query", "select 1")));
  EXPECT_THAT(options, Contains(Pair("sslmode", "disable")));
  EXPECT_THAT(options, Contains(Pair("dbname", "db")));
}

TEST(ConnectionStringTest, RefusesWithoutQuotingWhatMayBeAPassword) {
  for (const std::string_view text : {
           "host=a hunter2",
           "password='hunter2",
           "=hunter2",
           "password=x hunter2",
           "postgres://u:hunter2@[::1/db",
           "postgres://u:hunter2%zz@h/db",
           "postgres://u:hunter2@h/db?sslmode",
           "postgres://u:hunter2@h/db?pool_size=%zz",
           "postgres://u:hunter2@h/db?pool_size=%",
           "postgres://u:hunter2@h/db?x=%00",
       }) {
    const Result<Options> options = ParseConnectionString(text);

    ASSERT_FALSE(options) << text;
    EXPECT_THAT(options.error().detail, Not(HasSubstr("hunter2")));
    EXPECT_THAT(options.error().detail, HasSubstr("expected"));
  }
}

TEST(ConnectionStringTest, RefusesNul) {
  EXPECT_FALSE(ParseConnectionString(std::string_view("host=a\0b", 8)));
}

}  // namespace
}  // namespace pgvalet::config

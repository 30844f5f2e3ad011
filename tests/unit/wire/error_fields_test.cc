#include "wire/error_fields.h"

#include <gtest/gtest.h>

namespace pgvalet::wire {
namespace {

ErrorFields Parse(std::string_view body) { return ParseErrorFields(AsBytes(body)); }

TEST(ErrorFieldsTest, UntranslatedSeverityWinsWhereverItStands) {
  EXPECT_EQ(Parse(std::string_view("SFEHLER\0VERROR\0\0", 16)).severity, "ERROR");
  EXPECT_EQ(Parse(std::string_view("VERROR\0SFEHLER\0\0", 16)).severity, "ERROR");
  EXPECT_EQ(Parse(std::string_view("SFEHLER\0\0", 9)).severity, "FEHLER");
}

TEST(ErrorFieldsTest, UnknownFieldsAreSkipped) {
  const ErrorFields fields = Parse(std::string_view("C42601\0Fscan.l\0L1\0Mno\0Dd\0Hh\0\0", 29));

  EXPECT_EQ(fields.sqlstate, "42601");
  EXPECT_EQ(fields.message, "no");
  EXPECT_EQ(fields.detail, "d");
  EXPECT_EQ(fields.hint, "h");
}

TEST(ErrorFieldsTest, MalformedBodyYieldsTheFieldsBeforeTheFault) {
  const ErrorFields fields = Parse(std::string_view("C42601\0Mnot terminated", 22));

  EXPECT_EQ(fields.sqlstate, "42601");
  EXPECT_EQ(fields.message, "");
  EXPECT_EQ(Parse("").message, "");
}

}  // namespace
}  // namespace pgvalet::wire

#include "query/value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace pgvalet::query {
namespace {

v1::Value Filled(std::uint32_t oid, std::string_view text) {
  v1::Value value;
  Fill(oid, text, value);
  return value;
}

TEST(QueryValueTest, EveryKindGoesThereAndBack) {
  EXPECT_EQ(Filled(16, "t").bool_(), true);
  EXPECT_EQ(Filled(16, "f").bool_(), false);
  EXPECT_EQ(Filled(20, "-9223372036854775808").int_(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(Filled(26, "4294967295").int_(), 4294967295);
  EXPECT_EQ(Filled(701, "0.1").double_(), 0.1);
  EXPECT_EQ(Filled(701, "-Infinity").double_(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(Filled(17, "\\x00ff").bytes(), std::string("\0\xff", 2));
  EXPECT_EQ(Filled(17, "a\\000b").bytes(), std::string("a\0b", 3)) << "bytea_output = escape";
  EXPECT_EQ(Filled(1700, "1.50").text(), "1.50");
  for (const char* text : {"0", "-1", "9223372036854775807"}) {
    EXPECT_EQ(ToText(Filled(20, text)), text);
  }
  for (const char* text : {"0.1", "NaN", "Infinity", "-Infinity", "5e-324"}) {
    EXPECT_EQ(ToText(Filled(701, text)), text);
  }
  EXPECT_EQ(ToText(Filled(17, "\\x00ff")), "\\x00ff");
  EXPECT_EQ(ToText(v1::Value()), std::nullopt);
}

TEST(QueryValueTest, WhatIsNotAsItsTypeSaysStaysText) {
  EXPECT_EQ(Filled(23, "12x").text(), "12x");
  EXPECT_EQ(Filled(20, "99999999999999999999").text(), "99999999999999999999");
  EXPECT_EQ(Filled(701, "").text(), "");
}

TEST(QueryValueTest, TextThatIsNotUtf8IsBytes) {
  EXPECT_EQ(Filled(25, "gr\xfc\xdf").bytes(), "gr\xfc\xdf");
  EXPECT_TRUE(Filled(25, "gr\xc3\xbc").has_text());
}

TEST(QueryValueTest, NamesOfTypesAreThoseOfPostgres) {
  EXPECT_EQ(TypeName(23), "int4");
  EXPECT_EQ(TypeName(3802), "jsonb");
  EXPECT_EQ(TypeName(16384), "");
  EXPECT_EQ(TypeName(0), "");
}

}  // namespace
}  // namespace pgvalet::query

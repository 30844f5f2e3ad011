#include "config/value.h"

#include <gtest/gtest.h>

#include <limits>

namespace pgvalet::config {
namespace {

using std::chrono::microseconds;

const Rule kSeconds{.kind = Kind::kDuration, .max = 1000000000000};
const Rule kBytes{.kind = Kind::kSize, .min = 1024, .max = 2147483647};
const Rule kPort{.kind = Kind::kInteger, .min = 1, .max = 65535};
const Rule kBoolean{.kind = Kind::kBoolean};
const Rule kMode{.kind = Kind::kFileMode, .max = 0777};
const Rule kWord{.kind = Kind::kWord, .words = {"session", "transaction"}};
const Rule kAddress{.kind = Kind::kAddress};
const Rule kList{.kind = Kind::kList};
const Rule kText{.kind = Kind::kText};

Written Words(const char* text) { return Written(std::string(text)); }

struct Case {
  Rule rule;
  Written written;
  Value value;
};

TEST(ValueTest, ReadsWhatTheRuleAllows) {
  const std::vector<Case> cases = {
      {kSeconds, Written(std::int64_t{2}), microseconds(2000000)},
      {kSeconds, Written(0.5), microseconds(500000)},
      {kSeconds, Words("0.5"), microseconds(500000)},
      {kSeconds, Words("15"), microseconds(15000000)},
      {kSeconds, Words("250us"), microseconds(250)},
      {kSeconds, Words("500ms"), microseconds(500000)},
      {kSeconds, Words("2s"), microseconds(2000000)},
      {kSeconds, Words(" 1.5 min "), microseconds(90000000)},
      {kSeconds, Words("1h"), microseconds(3600000000)},
      {kSeconds, Words("1d"), microseconds(86400000000)},
      {kSeconds, Words("0"), microseconds(0)},
      {kBytes, Written(std::int64_t{4096}), std::int64_t{4096}},
      {kBytes, Words("4096"), std::int64_t{4096}},
      {kBytes, Words("16kB"), std::int64_t{16384}},
      {kBytes, Words("1MB"), std::int64_t{1048576}},
      {kBytes, Words("1gb"), std::int64_t{1073741824}},
      {kPort, Written(std::int64_t{6543}), std::int64_t{6543}},
      {kPort, Words(" 6543 "), std::int64_t{6543}},
      {kBoolean, Written(true), true},
      {kBoolean, Written(std::int64_t{1}), true},
      {kBoolean, Written(std::int64_t{0}), false},
      {kBoolean, Words("on"), true},
      {kBoolean, Words("No"), false},
      {kMode, Words("0770"), std::int64_t{0770}},
      {kMode, Words("700"), std::int64_t{0700}},
      {kMode, Written(std::int64_t{0770}), std::int64_t{0770}},
      {kWord, Words("Transaction"), std::string("transaction")},
      {kAddress, Words("127.0.0.1:6544"), std::string("127.0.0.1:6544")},
      {kAddress, Words("[::1]:6544"), std::string("[::1]:6544")},
      {kAddress, Words("unix:/run/pgvalet/grpc"), std::string("unix:/run/pgvalet/grpc")},
      {kAddress, Words("off"), std::string()},
      {kAddress, Words(""), std::string()},
      {kList, Words("a, b,,c "), std::vector<std::string>{"a", "b", "c"}},
      {kList, Words(""), std::vector<std::string>{}},
      {kList, Written(std::vector<std::string>{"a b"}), std::vector<std::string>{"a b"}},
      {kText, Words(" as it is "), std::string(" as it is ")},
  };

  for (const Case& each : cases) {
    const Result<Value> value = ReadValue(each.rule, each.written, false);

    ASSERT_TRUE(value) << value.error().detail;
    EXPECT_EQ(*value, each.value) << ValueText(each.rule, each.value);
  }
}

TEST(ValueTest, RefusesWhatTheRuleDoesNotAllow) {
  const std::vector<std::pair<Rule, Written>> cases = {
      {kSeconds, Words("5 parsecs")},
      {kSeconds, Words("-1")},
      {kSeconds, Written(-0.5)},
      {kSeconds, Words("1e3")},
      {kSeconds, Words("nan")},
      {kSeconds, Written(std::numeric_limits<double>::quiet_NaN())},
      {kSeconds, Words("")},
      {kSeconds, Words("1000001")},
      {kSeconds, Written(1e300)},
      {kSeconds, Written(true)},
      {kSeconds, Words("1.2.3")},
      {kBytes, Words("1TBB")},
      {kBytes, Words("1023")},
      {kBytes, Words("2GB")},
      {kBytes, Written(4096.0)},
      {kPort, Written(std::int64_t{0})},
      {kPort, Written(std::int64_t{65536})},
      {kPort, Words("65 43")},
      {kPort, Words("0x10")},
      {kPort, Words("99999999999999999999")},
      {kPort, Written(6543.0)},
      {kBoolean, Words("maybe")},
      {kBoolean, Written(std::int64_t{2})},
      {kMode, Words("0888")},
      {kMode, Words("1777")},
      {kMode, Written(std::int64_t{777})},
      {kWord, Words("sessions")},
      {kWord, Written(true)},
      {kAddress, Words("6544")},
      {kAddress, Words(":6544")},
      {kAddress, Words("unix:")},
      {kAddress, Words("unix:here")},
      {kAddress, Written("unix:/" + std::string(200, 'x'))},
      {kAddress, Words("host:0")},
      {kAddress, Words("host:http")},
      {kAddress, Words("::1:6544")},
      {kAddress, Words("host:65536")},
      {kText, Written(std::int64_t{3})},
      {kText, Written(std::string("a\0b", 3))},
      {kList, Written(std::int64_t{3})},
  };

  for (const auto& [rule, written] : cases) {
    const Result<Value> value = ReadValue(rule, written, false);

    ASSERT_FALSE(value) << ValueText(rule, *value);
    EXPECT_EQ(value.error().detail.rfind("expected " + Expected(rule), 0), 0U);
  }
}

TEST(ValueTest, SaysWhatWasExpectedAndWhatWasFound) {
  const Result<Value> value = ReadValue(kPort, Words("many"), false);

  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().detail, "expected whole number, 1 to 65535, not \"many\"");
}

TEST(ValueTest, NeverQuotesASecret) {
  const Result<Value> value = ReadValue(kText, Written(std::int64_t{4711}), true);

  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().detail.find("4711"), std::string::npos);
}

TEST(ValueTest, QuotesOnlyTheBeginningOfALongText) {
  const Result<Value> value = ReadValue(kPort, Written(std::string(100000, 'x')), false);

  ASSERT_FALSE(value);
  EXPECT_LT(value.error().detail.size(), 200U);
}

TEST(ValueTest, WritesDurationsAsSeconds) {
  EXPECT_EQ(ValueText(kSeconds, microseconds(15000000)), "15");
  EXPECT_EQ(ValueText(kSeconds, microseconds(500000)), "0.5");
  EXPECT_EQ(ValueText(kSeconds, microseconds(1)), "0.000001");
  EXPECT_EQ(ValueText(kSeconds, microseconds(0)), "0");
  EXPECT_EQ(ValueText(kSeconds, microseconds(100000000)), "100");
}

TEST(ValueTest, WritesTomlThatHoldsEveryCharacter) {
  EXPECT_EQ(TomlQuoted("a\"b\\c\nd"), "\"a\\\"b\\\\c\\u000ad\"");
  EXPECT_EQ(ValueToml(kList, std::vector<std::string>{"a", "b"}), "[\"a\", \"b\"]");
  EXPECT_EQ(ValueToml(kMode, std::int64_t{0700}), "\"0700\"");
}

}  // namespace
}  // namespace pgvalet::config

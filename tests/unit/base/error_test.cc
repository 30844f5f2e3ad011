#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <set>
#include <string>

#include "base/counter.h"
#include "base/result.h"
#include "base/text_map.h"

namespace pgvalet {
namespace {

TEST(ErrorTest, TextHoldsWhatIsKnown) {
  EXPECT_EQ((Error{ErrorCode::kIo, "cannot read"}.ToString()), "cannot read");
  EXPECT_EQ((Error{ErrorCode::kIo, "cannot read", ENOENT, "a.toml"}.ToString()),
            "cannot read: a.toml: No such file or directory");
  EXPECT_EQ((Error{ErrorCode::kIo, "", 0, "a.toml"}.ToString()), "a.toml");
}

TEST(ErrorTest, EveryCodeHasItsName) {
  std::set<std::string> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::kNotFound); ++code) {
    names.insert(ErrorCodeName(static_cast<ErrorCode>(code)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorCode::kNotFound) + 1);
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_STREQ(ErrorCodeName(static_cast<ErrorCode>(200)), "unknown");
}

TEST(ResultTest, IsAValueOrAnError) {
  Result<int> value = 7;
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, 7);
  *value = 8;
  EXPECT_EQ(value.value(), 8);

  const Result<int> error = Error{ErrorCode::kLimit, "full"};
  EXPECT_FALSE(error.has_value());
  EXPECT_EQ(error.error().code, ErrorCode::kLimit);
}

TEST(ResultTest, ValueMayBeMovedOut) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);

  const std::unique_ptr<int> taken = std::move(*std::move(result));

  EXPECT_EQ(*taken, 5);
}

TEST(CounterTest, GrowsAndIsRead) {
  Counter counter;
  counter.Add();
  counter.Add(4);
  EXPECT_EQ(counter.value(), 5u);

  Gauge gauge;
  gauge.Set(3);
  gauge.Add(-5);
  EXPECT_EQ(gauge.value(), -2);
}

TEST(TextMapTest, IsAskedWithAView) {
  TextMap<int> map;
  map["ab"] = 1;

  EXPECT_EQ(map.find(std::string_view("abc").substr(0, 2))->second, 1);
}

}  // namespace
}  // namespace pgvalet

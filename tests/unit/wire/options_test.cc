#include "wire/options.h"

#include <gtest/gtest.h>

namespace pgvalet::wire {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

TEST(OptionsTest, NothingHoldsNoSettings) {
  EXPECT_EQ(ParseOptions("").value(), Settings{});
  EXPECT_EQ(ParseOptions(" \t\n").value(), Settings{});
}

TEST(OptionsTest, AcceptsAllThreeForms) {
  EXPECT_EQ(ParseOptions("-c a=1 -cb=2 --c=3").value(),
            (Settings{{"a", "1"}, {"b", "2"}, {"c", "3"}}));
}

TEST(OptionsTest, BackslashTakesTheNextCharacterAsItIs) {
  EXPECT_EQ(ParseOptions("-c a=x\\ y\\\\z").value(), (Settings{{"a", "x y\\z"}}));
  EXPECT_EQ(ParseOptions("-c a=x\\").value(), (Settings{{"a", "x\\"}}));
}

TEST(OptionsTest, DashInANameIsAnUnderscore) {
  EXPECT_EQ(ParseOptions("--work-mem=a-b").value(), (Settings{{"work_mem", "a-b"}}));
}

TEST(OptionsTest, ValueMayBeEmptyAndMayHoldEqualsSigns) {
  EXPECT_EQ(ParseOptions("-c a= --b=c=d").value(), (Settings{{"a", ""}, {"b", "c=d"}}));
}

TEST(OptionsTest, AnySpaceSeparates) {
  EXPECT_EQ(ParseOptions("\v-c\ra=1\f-c\tb=2\n").value(), (Settings{{"a", "1"}, {"b", "2"}}));
}

struct BadOptionsTest : testing::TestWithParam<const char*> {};

TEST_P(BadOptionsTest, IsAnErrorThatNamesTheSwitch) {
  const auto settings = ParseOptions(GetParam());

  ASSERT_FALSE(settings.has_value());
  EXPECT_EQ(settings.error().code, ErrorCode::kProtocol);
}

INSTANTIATE_TEST_SUITE_P(Options, BadOptionsTest,
                         testing::Values("-c", "-c a", "-c =1", "--a", "--=1", "-d 5", "-B 1",
                                         "word", "-", "-c a=1 -s"));

}  // namespace
}  // namespace pgvalet::wire

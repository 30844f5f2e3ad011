#include "api/tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace pgvalet::api {
namespace {

using testing::HasSubstr;

constexpr const char* kReader = "reader-token-0123456789";
constexpr const char* kController = "controller-token-0123456789";

class TokensTest : public testing::Test {
 protected:
  TokensTest() { close(mkstemp(path_.data())); }
  ~TokensTest() override { unlink(path_.c_str()); }

  Result<Done> Load(const std::string& text, mode_t mode = 0600) {
    std::ofstream(path_) << text;
    chmod(path_.c_str(), mode);
    return tokens_.Load(path_);
  }

  std::string path_ = "/tmp/pgvalet-tokens-XXXXXX";
  Tokens tokens_;
};

TEST_F(TokensTest, EachTokenHasItsRole) {
  ASSERT_TRUE(Load(std::string("# who may what\n\nread ") + kReader + "\ncontrol\t" + kController +
                   "  # the operator\n"));

  EXPECT_TRUE(tokens_.required());
  EXPECT_EQ(tokens_.Find(kReader), TokenRole::kRead);
  EXPECT_EQ(tokens_.Find(kController), TokenRole::kControl);
  EXPECT_EQ(tokens_.Find(""), TokenRole::kNone);
  EXPECT_EQ(tokens_.Find(std::string(kReader) + "0"), TokenRole::kNone);
}

TEST_F(TokensTest, WithoutAFileThereAreNone) {
  ASSERT_TRUE(tokens_.Load(""));

  EXPECT_FALSE(tokens_.required());
  EXPECT_EQ(tokens_.Find(kReader), TokenRole::kNone);
}

TEST_F(TokensTest, FileThatCannotBeUsedLeavesTheTokensOfBefore) {
  ASSERT_TRUE(Load(std::string("read ") + kReader));
  const std::string good = std::string("control ") + kController;
  for (const std::string& text :
       {std::string("admin ") + kReader, std::string("read"), std::string("read short"),
        good + " more words", std::string("read ") + "\x01" + kReader}) {
    const Result<Done> loaded = Load(text);
    ASSERT_FALSE(loaded) << text;
    EXPECT_EQ(loaded.error().code, ErrorCode::kInvalidSetting);
    EXPECT_THAT(loaded.error().detail, HasSubstr(":1: expected"));
    EXPECT_THAT(loaded.error().ToString(), testing::Not(HasSubstr("0123456789")));
  }
  EXPECT_EQ(tokens_.Find(kReader), TokenRole::kRead);
  EXPECT_EQ(tokens_.Find(kController), TokenRole::kNone);
}

TEST_F(TokensTest, FileThatOthersMayReadIsRefused) {
  const Result<Done> loaded = Load(std::string("read ") + kReader, 0644);

  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().detail, HasSubstr("chmod 600"));
  EXPECT_FALSE(tokens_.Load("/nowhere/at/all"));
}

}  // namespace
}  // namespace pgvalet::api

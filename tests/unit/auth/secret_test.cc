#include "auth/secret.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

#include "auth/crypto.h"
#include "auth/scram.h"
#include "samples.h"

namespace pgvalet::auth {
namespace {

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!Printable<Secret> && !Printable<SecretText> && !Printable<Key>);
static_assert(std::is_nothrow_move_constructible_v<SecretText>);

TEST(SecretTest, TellsKindsApartAsPostgresDoes) {
  EXPECT_EQ(Secret::Parse("")->kind(), SecretKind::kNone);
  EXPECT_EQ(Secret::Parse("hello")->kind(), SecretKind::kPlain);
  EXPECT_EQ(Secret::Parse(kMiasHash)->kind(), SecretKind::kMd5);
  EXPECT_EQ(Secret::Parse(kBobsVerifier)->kind(), SecretKind::kScram);
}

TEST(SecretTest, WhatOnlyResemblesAnMd5HashIsAPassword) {
  const std::string hash(kMiasHash);
  EXPECT_EQ(Secret::Parse(hash + "0")->kind(), SecretKind::kPlain);
  EXPECT_EQ(Secret::Parse(hash.substr(0, 34))->kind(), SecretKind::kPlain);
  EXPECT_EQ(Secret::Parse("md5CD3114E3615479924BD1D73DE8622C07")->kind(), SecretKind::kPlain);
  EXPECT_EQ(Secret::Parse("MD5" + hash.substr(3))->kind(), SecretKind::kPlain);
}

TEST(SecretTest, VerifierOfPostgresIsWrittenAsItWasRead) {
  Result<ScramVerifier> verifier = ParseScramVerifier(kBobsVerifier);

  ASSERT_TRUE(verifier);
  EXPECT_EQ(verifier->iterations, 4096);
  EXPECT_EQ(verifier->salt.size(), 16u);
  EXPECT_EQ(FormatScramVerifier(*verifier), kBobsVerifier);
}

TEST(SecretTest, DerivedKeysBelongToTheVerifierPostgresMade) {
  const ScramVerifier verifier = ParseScramVerifier(kBobsVerifier).value();

  const ScramKeys right = DeriveScramKeys(kBobsPassword, verifier.salt, 4096).value();
  const ScramKeys wrong = DeriveScramKeys("Pencil", verifier.salt, 4096).value();

  EXPECT_TRUE(right.BelongTo(verifier));
  EXPECT_FALSE(wrong.BelongTo(verifier));
}

TEST(SecretTest, EveryTruncationOfAVerifierIsRefused) {
  // Shorter than its prefix it is a password like any other.
  for (std::size_t size = 14; size < kBobsVerifier.size(); ++size) {
    EXPECT_FALSE(Secret::Parse(kBobsVerifier.substr(0, size))) << size;
  }
}

TEST(SecretTest, RefusesVerifiersWithBrokenParts) {
  const std::string salt = "resyFgFBEIiGHEHs3ppxMQ==";
  const std::string key = "qAVHOwZ2yK+UeMyFBGxbszr/k5WgHN7nKrMsr1o8OQQ=";
  const auto refused = [](const std::string& text) {
    return !ParseScramVerifier("SCRAM-SHA-256$" + text);
  };
  ASSERT_FALSE(refused("1:" + salt + "$" + key + ":" + key));

  for (const char* count : {"", "0", "-1", "+1", " 1", "1 ", "0x1", "2147483648", "9e3"}) {
    EXPECT_TRUE(refused(count + (":" + salt) + "$" + key + ":" + key)) << count;
  }
  for (const char* bad_salt : {"", "=", "====", "resy", "resyFg=", "res\nyFg=", " esyFg==",
                               "resyFh==", "resyFg==resyFg=="}) {
    const bool fits = std::string_view(bad_salt) == "resy";  // any length will do for a salt
    EXPECT_EQ(refused("1:" + std::string(bad_salt) + "$" + key + ":" + key), !fits) << bad_salt;
  }
  EXPECT_TRUE(refused("1:" + salt + "$" + salt + ":" + key));
  EXPECT_TRUE(refused("1:" + salt + "$" + key + ":" + salt));
  EXPECT_TRUE(refused("1:" + salt + "$" + key + ":" + key + ":"));
  EXPECT_TRUE(refused("1:" + salt + "$" + key + ":" + key + "$"));
  EXPECT_TRUE(
      refused("1:" + ToBase64(std::string(kMaxSaltBytes + 1, 's')) + "$" + key + ":" + key));
}

TEST(SecretTest, RefusesWhatNoPasswordCanBeAndDoesNotRepeatIt) {
  using std::string_literals::operator""s;

  const Result<Secret> zero = Secret::Parse("hid\0den"s);
  const Result<Secret> endless = Secret::Parse(std::string(Secret::kMaxTextBytes + 1, 'x'));
  const Result<Secret> broken = Secret::Parse("SCRAM-SHA-256$hidden");

  ASSERT_FALSE(zero);
  ASSERT_FALSE(endless);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::kInvalidSetting);
  EXPECT_EQ(broken.error().ToString().find("hidden"), std::string::npos);
  EXPECT_TRUE(Secret::Parse(std::string(Secret::kMaxTextBytes, 'x')));
}

TEST(SecretTest, IsEqualOnlyToTheSameSecret) {
  const Secret plain = Secret::Plain("a");

  EXPECT_TRUE(plain == Secret::Plain("a"));
  EXPECT_FALSE(plain == Secret::Plain("b"));
  EXPECT_FALSE(plain == Secret::Plain("ab"));
  EXPECT_FALSE(plain == Secret());
  EXPECT_TRUE(Secret() == Secret());
  EXPECT_TRUE(*SecretOf(kBobsVerifier) == *SecretOf(kBobsVerifier));
  EXPECT_FALSE(*SecretOf(kBobsVerifier) == *SecretOf(kMiasHash));
}

TEST(SecretTextTest, MovingLeavesNothingBehind) {
  SecretText from("short");

  const SecretText to(std::move(from));

  EXPECT_EQ(to.view(), "short");
  EXPECT_TRUE(from.empty());  // NOLINT: what a moved-from secret holds is the claim
}

TEST(Base64Test, TakesOnlyWhatItCouldHaveWritten) {
  EXPECT_EQ(FromBase64(""), "");
  EXPECT_EQ(FromBase64("YQ=="), "a");
  EXPECT_EQ(FromBase64("YWI="), "ab");
  EXPECT_EQ(FromBase64("YWJj"), "abc");
  for (const char* text : {"Y", "YQ", "YQ=", "YR==", "YWJ=", "=YQ=", "Y=Q=", "YQ==YQ==", "YQ\n=",
                           " YWJj   ", "YW-j", "YW_j", "====", "YQ==\n\n\n\n"}) {
    EXPECT_EQ(FromBase64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace pgvalet::auth

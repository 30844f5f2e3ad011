#include "auth/md5.h"

#include <gtest/gtest.h>

#include "samples.h"

namespace pgvalet::auth {
namespace {

constexpr Md5Salt kSalt{'\x01', '\x00', '\xfe', 'z'};

TEST(Md5Test, HashIsTheOnePostgresStores) {
  EXPECT_EQ(Md5SecretOf(kMiasPassword, "mia")->md5(), kMiasHash);
}

TEST(Md5Test, PasswordAndItsHashAnswerAlike) {
  const SecretText from_plain = Md5Response(Secret::Plain(kMiasPassword), "mia", kSalt).value();
  const SecretText from_hash = Md5Response(*SecretOf(kMiasHash), "mia", kSalt).value();

  // Computed by Python's hashlib.
  EXPECT_EQ(from_hash.view(), "md5fb5866c67fe2e11826fb0e940135e6cf");
  EXPECT_EQ(from_plain.view(), from_hash.view());
}

TEST(Md5Test, AnswerDependsOnSaltUserAndPassword) {
  const std::string answer(Md5Response(Secret::Plain("a"), "mia", kSalt)->view());

  EXPECT_NE(Md5Response(Secret::Plain("a"), "mia", Md5Salt{})->view(), answer);
  EXPECT_NE(Md5Response(Secret::Plain("a"), "mio", kSalt)->view(), answer);
  EXPECT_NE(Md5Response(Secret::Plain("b"), "mia", kSalt)->view(), answer);
}

TEST(Md5Test, NeedsAPasswordOrItsHash) {
  EXPECT_EQ(Md5Response(*SecretOf(kBobsVerifier), "bob", kSalt).error().code, ErrorCode::kAuth);
  EXPECT_EQ(Md5Response(Secret(), "bob", kSalt).error().code, ErrorCode::kAuth);
}

}  // namespace
}  // namespace pgvalet::auth

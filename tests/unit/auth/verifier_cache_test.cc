#include "auth/verifier_cache.h"

#include <gtest/gtest.h>

#include "auth/scram.h"
#include "samples.h"

namespace pgvalet::auth {
namespace {

struct VerifierCacheTest : testing::Test {
  std::unique_ptr<VerifierCache> cache = VerifierCache::Create().value();
};

TEST_F(VerifierCacheTest, VerifierBelongsToThePassword) {
  const auto verifier = cache->ForPassword("alice", "secret").value();

  EXPECT_EQ(verifier->iterations, kScramIterations);
  EXPECT_TRUE(DeriveScramKeys("secret", verifier->salt, verifier->iterations)->BelongTo(*verifier));
}

TEST_F(VerifierCacheTest, DerivesOncePerPassword) {
  const auto first = cache->ForPassword("alice", "secret").value();

  EXPECT_EQ(cache->ForPassword("alice", "secret").value(), first);
  EXPECT_EQ(cache->size(), 1u);
}

TEST_F(VerifierCacheTest, ChangedPasswordReplacesTheVerifier) {
  const auto before = cache->ForPassword("alice", "secret").value();

  const auto after = cache->ForPassword("alice", "changed").value();

  EXPECT_FALSE(*before == *after);
  EXPECT_EQ(cache->size(), 1u);
}

TEST_F(VerifierCacheTest, UsersWithTheSamePasswordHaveDifferentVerifiers) {
  EXPECT_NE(cache->ForPassword("alice", "secret").value()->salt,
            cache->ForPassword("bob", "secret").value()->salt);
}

TEST_F(VerifierCacheTest, WhoDoesNotExistCannotBeToldFromWhoDoes) {
  const auto real = cache->ForPassword("alice", "secret").value();

  const auto mock = cache->Mock("alice");

  EXPECT_EQ(mock->salt, real->salt);
  EXPECT_EQ(mock->iterations, real->iterations);
  EXPECT_EQ(cache->Mock("zoe")->salt, cache->Mock("zoe")->salt);
  EXPECT_NE(cache->Mock("zoe")->salt, cache->Mock("zoo")->salt);
}

TEST_F(VerifierCacheTest, SaltsOfAnotherProcessDiffer) {
  EXPECT_NE(VerifierCache::Create().value()->Mock("zoe")->salt, cache->Mock("zoe")->salt);
}

}  // namespace
}  // namespace pgvalet::auth

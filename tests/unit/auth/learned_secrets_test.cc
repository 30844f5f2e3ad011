#include "auth/learned_secrets.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "samples.h"

namespace pgvalet::auth {
namespace {

using std::chrono::seconds;

constexpr Login kAlice{"main", "alice"};
constexpr Login kOtherAlice{"branch", "alice"};

std::shared_ptr<const Secret> Plain(std::string_view text) {
  return std::make_shared<const Secret>(Secret::Plain(text));
}

std::shared_ptr<const ScramKeys> Keys(std::string_view password) {
  return std::make_shared<const ScramKeys>(QuickKeys(password));
}

std::shared_ptr<const Secret> VerifierOfKeys(const ScramKeys& keys) {
  return std::make_shared<const Secret>(Secret::Scram(VerifierOf(keys)));
}

struct LearnedSecretsTest : testing::Test {
  LearnedSecrets learned;
  Time start{};
};

TEST_F(LearnedSecretsTest, AnswerIsKnownUntilItIsTooOld) {
  learned.Learn(kAlice, Plain("a"), start);

  EXPECT_EQ(learned.Find(kAlice, start + seconds(10), seconds(10))->plain(), "a");
  EXPECT_EQ(learned.Find(kAlice, start + seconds(11), seconds(10)), nullptr);
}

TEST_F(LearnedSecretsTest, NamesakesOfOtherRealmsAreStrangers) {
  learned.Learn(kAlice, Plain("a"), start);

  EXPECT_EQ(learned.Find(kOtherAlice, start, seconds(1)), nullptr);
  EXPECT_EQ(learned.Find(Login{"mainalice", ""}, start, seconds(1)), nullptr);
}

TEST_F(LearnedSecretsTest, KeysAreFoundUnderTheSecretTheyWereLearnedWith) {
  learned.LearnKeys(kAlice, Plain("a"), Keys("a"));

  EXPECT_NE(learned.FindKeys(kAlice, *Plain("a")), nullptr);
  EXPECT_EQ(learned.FindKeys(kOtherAlice, *Plain("a")), nullptr);
}

TEST_F(LearnedSecretsTest, AnotherSecretDropsTheKeysForGood) {
  learned.LearnKeys(kAlice, Plain("a"), Keys("a"));

  EXPECT_EQ(learned.FindKeys(kAlice, *Plain("b")), nullptr);
  EXPECT_EQ(learned.FindKeys(kAlice, *Plain("a")), nullptr);
}

TEST_F(LearnedSecretsTest, ANewAnswerDropsKeysOfTheOldOne) {
  const auto keys = Keys("a");
  const auto verifier = VerifierOfKeys(*keys);
  learned.Learn(kAlice, verifier, start);
  learned.LearnKeys(kAlice, verifier, keys);
  learned.Learn(kAlice, VerifierOfKeys(*keys), start + seconds(1));
  EXPECT_EQ(learned.FindKeys(kAlice, *verifier), keys) << "the same answer again";

  learned.Learn(kAlice, VerifierOfKeys(QuickKeys("b")), start + seconds(2));
  learned.Learn(kAlice, verifier, start + seconds(3));

  EXPECT_EQ(learned.FindKeys(kAlice, *verifier), nullptr);
}

TEST_F(LearnedSecretsTest, KeysOfAnOldLoginDoNotReplaceANewAnswer) {
  learned.Learn(kAlice, Plain("new"), start);

  learned.LearnKeys(kAlice, Plain("old"), Keys("old"));

  EXPECT_EQ(learned.Find(kAlice, start, seconds(1))->plain(), "new");
  EXPECT_EQ(learned.FindKeys(kAlice, *Plain("new")), nullptr);
}

TEST_F(LearnedSecretsTest, KeysThatDoNotFitTheirVerifierAreNotKept) {
  const auto verifier = VerifierOfKeys(QuickKeys("right"));

  learned.LearnKeys(kAlice, verifier, Keys("wrong"));

  EXPECT_EQ(learned.FindKeys(kAlice, *verifier), nullptr);
}

TEST_F(LearnedSecretsTest, ForgettingAnswersKeepsKeys) {
  learned.Learn(kAlice, Plain("a"), start);
  learned.LearnKeys(kAlice, Plain("a"), Keys("a"));

  learned.ForgetAnswers();

  EXPECT_EQ(learned.Find(kAlice, start, seconds(1)), nullptr);
  EXPECT_NE(learned.FindKeys(kAlice, *Plain("a")), nullptr);
}

TEST_F(LearnedSecretsTest, ForgettingKeysKeepsTheAnswer) {
  learned.Learn(kAlice, Plain("a"), start);
  learned.LearnKeys(kAlice, Plain("a"), Keys("a"));

  learned.ForgetKeys(kAlice);

  EXPECT_EQ(learned.FindKeys(kAlice, *Plain("a")), nullptr);
  EXPECT_NE(learned.Find(kAlice, start, seconds(1)), nullptr);
  learned.Forget(kAlice);
  EXPECT_EQ(learned.size(), 0u);
}

TEST_F(LearnedSecretsTest, NeverGrowsBeyondItsBound) {
  for (std::size_t i = 0; i < LearnedSecrets::kMaxLogins + 100; ++i) {
    learned.Learn(Login{"main", std::to_string(i)}, Plain("a"), start);
  }

  EXPECT_EQ(learned.size(), LearnedSecrets::kMaxLogins);
}

TEST_F(LearnedSecretsTest, CoresMayUseItAtTheSameTime) {
  const auto a = Plain("a"), b = Plain("b");
  const auto keys_a = Keys("a"), keys_b = Keys("b");
  std::vector<std::thread> cores;
  for (int core = 0; core < 4; ++core) {
    cores.emplace_back([&, core] {
      for (int i = 0; i < 2000; ++i) {
        const bool first = (i + core) % 2 == 0;
        learned.Learn(kAlice, first ? a : b, start);
        learned.LearnKeys(kAlice, first ? a : b, first ? keys_a : keys_b);
        const auto keys = learned.FindKeys(kAlice, *a);
        EXPECT_TRUE(keys == nullptr || keys == keys_a);
        learned.Find(kAlice, start, seconds(1));
        if (i % 100 == 0) learned.Forget(kAlice);
      }
    });
  }
  for (std::thread& core : cores) core.join();

  EXPECT_LE(learned.size(), 1u);
}

}  // namespace
}  // namespace pgvalet::auth

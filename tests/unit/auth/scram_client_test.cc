#include "auth/scram_client.h"

#include <gtest/gtest.h>

#include <string>

#include "samples.h"

namespace pgvalet::auth {
namespace {

using std::string_literals::operator""s;

constexpr char kNonce[] = "fyko+d2lbbFgONRv9qkxdawL";
constexpr char kSalt[] = "W22ZaJ0SNY7soEsUEjb6gQ==";

std::string ServerFirst(const std::string& nonce, const std::string& salt,
                        const std::string& iterations) {
  return "r=" + nonce + ",s=" + salt + ",i=" + iterations;
}

struct ScramClientTest : testing::Test {
  ScramClient client{SecretText("pencil"), nullptr, kNonce};
};

void ExpectMalformed(const Result<std::string>& answer) {
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kProtocol);
}

// The proof and the signature were computed by an independent program (Python's hashlib).
TEST_F(ScramClientTest, SaysWhatAnotherImplementationSays) {
  EXPECT_EQ(client.Start(), "n,,n=,r="s + kNonce);

  Result<std::string> answer = client.OnContinue(ServerFirst(kNonce + "abc"s, kSalt, "4096"));

  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, "c=biws,r="s + kNonce + "abc,p=any4Pg47LsfzDxw46mdA2Sf7OXdl9469OumWnt3JjqY=");
  EXPECT_TRUE(client.OnFinal("v=ZvkranUCTghGm5tJT9qjHzcnRoGQlNzJCy+X0mE2CRg="));
  EXPECT_TRUE(client.done());
  EXPECT_EQ(client.keys()->iterations, 4096);
}

TEST_F(ScramClientTest, RefusesAServerThatCannotSign) {
  client.Start();
  ASSERT_TRUE(client.OnContinue(ServerFirst(kNonce + "abc"s, kSalt, "4096")));

  const Result<Done> done = client.OnFinal("v=" + std::string(43, 'A') + "=");

  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kAuth);
  EXPECT_FALSE(client.done());
}

TEST_F(ScramClientTest, ReportsTheServersRefusalWithoutItsControlCharacters) {
  client.Start();
  ASSERT_TRUE(client.OnContinue(ServerFirst(kNonce + "abc"s, kSalt, "4096")));

  const Result<Done> done = client.OnFinal("e=no\x1b[31m\n way" + std::string(500, 'x'));

  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().detail.substr(0, 12), "no?[31m? way");
  EXPECT_EQ(done.error().detail.size(), 100u);
}

TEST_F(ScramClientTest, RefusesIterationsBelowWhatKeepsThePasswordSafe) {
  client.Start();

  const Result<std::string> answer = client.OnContinue(ServerFirst(kNonce + "a"s, kSalt, "4095"));

  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kAuth);
  EXPECT_EQ(answer.error().detail, "4095, at least 4096 are needed");
}

TEST_F(ScramClientTest, RefusesIterationsThatWouldStopTheLoop) {
  client.Start();

  const Result<std::string> answer =
      client.OnContinue(ServerFirst(kNonce + "a"s, kSalt, "2147483647"));

  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kAuth);
}

TEST_F(ScramClientTest, WhatTheLimitsAllowIsDone) {
  ScramClient lenient(SecretText("pencil"), nullptr, kNonce, ScramLimits{1, 10});
  lenient.Start();

  EXPECT_TRUE(lenient.OnContinue(ServerFirst(kNonce + "a"s, kSalt, "1")));
}

TEST_F(ScramClientTest, LimitsBeyondWhatWeEverDeriveDoNotCount) {
  ScramClient reckless(SecretText("pencil"), nullptr, kNonce, ScramLimits{1, 2'000'000'000});
  reckless.Start();

  EXPECT_FALSE(reckless.OnContinue(ServerFirst(kNonce + "a"s, kSalt, "1999999999")));
}

TEST(ScramClientInputTest, RefusesMalformedFirstMessages) {
  const std::string nonce = kNonce + "a"s;
  for (const std::string& text :
       {""s,
        "r="s,
        "r=,s=,i="s,
        "m=x," + ServerFirst(nonce, kSalt, "4096"),
        ServerFirst(kNonce, kSalt, "4096"),
        ServerFirst("", kSalt, "4096"),
        ServerFirst("other", kSalt, "4096"),
        ServerFirst("x"s + kNonce, kSalt, "4096"),
        ServerFirst(nonce + "\0"s, kSalt, "4096"),
        ServerFirst(nonce + "\x80", kSalt, "4096"),
        ServerFirst(kNonce + std::string(kMaxNonceBytes, 'a'), kSalt, "4096"),
        ServerFirst(kNonce + std::string(1'000'000, 'a'), kSalt, "4096"),
        ServerFirst(nonce, "", "4096"),
        ServerFirst(nonce, "W22Z a==", "4096"),
        ServerFirst(nonce, "W22Za", "4096"),
        ServerFirst(nonce, std::string(1024, 'A'), "4096"),
        ServerFirst(nonce, kSalt, ""),
        ServerFirst(nonce, kSalt, "0"),
        ServerFirst(nonce, kSalt, "-4096"),
        ServerFirst(nonce, kSalt, "4096x"),
        ServerFirst(nonce, kSalt, "2147483648"),
        ServerFirst(nonce, kSalt, "99999999999999999999"),
        ServerFirst(nonce, kSalt, " 4096"),
        ServerFirst(nonce, kSalt, "4096,"),
        ServerFirst(nonce, kSalt, "4096,x"),
        "s="s + kSalt + ",r=" + nonce + ",i=4096"}) {
    ScramClient client(SecretText("pencil"), nullptr, kNonce);
    client.Start();
    ExpectMalformed(client.OnContinue(text));
  }
}

TEST(ScramClientInputTest, RefusesMalformedFinalMessages) {
  for (const std::string& text : {""s, "v"s, "x="s, "v=,"s, "v=a,b"s}) {
    ScramClient client(SecretText("pencil"), nullptr, kNonce);
    client.Start();
    ASSERT_TRUE(client.OnContinue(ServerFirst(kNonce + "abc"s, kSalt, "4096")));
    EXPECT_FALSE(client.OnFinal(text));
    EXPECT_FALSE(client.OnFinal("v=ZvkranUCTghGm5tJT9qjHzcnRoGQlNzJCy+X0mE2CRg="))
        << "must be spent";
  }
}

TEST_F(ScramClientTest, RefusesMessagesOutOfTurn) {
  EXPECT_FALSE(client.OnContinue(ServerFirst(kNonce + "a"s, kSalt, "4096")));

  ScramClient other(SecretText("pencil"), nullptr, kNonce);
  other.Start();
  EXPECT_FALSE(other.OnFinal("v=ZvkranUCTghGm5tJT9qjHzcnRoGQlNzJCy+X0mE2CRg="));
}

TEST_F(ScramClientTest, KeysOfAnotherSaltAreOfNoUseWithoutThePassword) {
  const auto keys = std::make_shared<const ScramKeys>(QuickKeys("pencil"));
  ScramClient without({}, keys, kNonce);
  ScramClient with(SecretText("pencil"), keys, kNonce);
  without.Start();
  with.Start();

  const Result<std::string> answer = without.OnContinue(ServerFirst(kNonce + "a"s, kSalt, "4096"));

  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kAuth);
  EXPECT_TRUE(with.OnContinue(ServerFirst(kNonce + "a"s, kSalt, "4096")));
}

}  // namespace
}  // namespace pgvalet::auth

#include "auth/client_auth.h"

#include <gtest/gtest.h>

#include <string>

#include "auth/scram_client.h"
#include "samples.h"

namespace pgvalet::auth {
namespace {

using config::AuthType;
using std::string_literals::operator""s;

struct ClientAuthTest : testing::Test {
  ClientAuth Login(AuthType type, std::string_view user, std::shared_ptr<const Secret> secret) {
    return ClientAuth(type, user, std::move(secret), *verifiers);
  }

  // Plays a whole SCRAM login.
  static Result<ClientStep> PlayScram(ClientAuth& login, std::string_view password) {
    const Result<ClientStep> start = login.Start();
    if (!start) return start;
    EXPECT_EQ(start->send, Int32(10) + "SCRAM-SHA-256\0\0"s);
    ScramClient client(SecretText(password), nullptr, "clientnonce", ScramLimits{1, 10'000});
    const Result<ClientStep> first = login.OnMessage(SaslInitialResponse(client.Start()));
    if (!first) return first;
    EXPECT_EQ(first->send.substr(0, 4), Int32(11));
    EXPECT_FALSE(first->ok);
    const Result<std::string> answer = client.OnContinue(first->send.substr(4));
    if (!answer) return answer.error();
    const Result<ClientStep> final = login.OnMessage(*answer);
    if (final) {
      EXPECT_EQ(final->send.substr(0, 4), Int32(12));
      EXPECT_TRUE(client.OnFinal(final->send.substr(4)));
    }
    return final;
  }

  std::unique_ptr<VerifierCache> verifiers = VerifierCache::Create().value();
  std::shared_ptr<const Secret> quick_verifier =
      std::make_shared<const Secret>(Secret::Scram(*QuickVerifier("secret")));
};

void ExpectWrongPassword(const Result<ClientStep>& step, std::string_view user,
                         std::string_view why) {
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, ErrorCode::kAuth);
  EXPECT_EQ(step.error().sqlstate, "28P01");
  EXPECT_EQ(step.error().what, why);
  EXPECT_EQ(ClientText(step.error(), user),
            "password authentication failed for user \"" + std::string(user) + "\"");
}

void ExpectMalformed(const Result<ClientStep>& step) {
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, ErrorCode::kProtocol);
  EXPECT_EQ(step.error().sqlstate, "08P01");
  EXPECT_EQ(ClientText(step.error(), "alice"), step.error().what);
}

TEST_F(ClientAuthTest, TrustLetsInAtOnce) {
  ClientAuth login = Login(AuthType::kTrust, "anyone", nullptr);

  const Result<ClientStep> step = login.Start();

  ASSERT_TRUE(step);
  EXPECT_TRUE(step->ok);
  EXPECT_EQ(step->send, "");
  ExpectMalformed(login.OnMessage(Ended("x")));
}

TEST_F(ClientAuthTest, PlainAsksForThePasswordAndChecksEveryKindOfSecret) {
  for (const auto& [secret, password] : {std::pair{SecretOf("secret"), "secret"s},
                                         {SecretOf(kMiasHash), std::string(kMiasPassword)},
                                         {quick_verifier, "secret"s}}) {
    ClientAuth right = Login(AuthType::kPlain, "mia", secret);
    ClientAuth wrong = Login(AuthType::kPlain, "mia", secret);
    EXPECT_EQ(right.Start()->send, Int32(3));
    EXPECT_TRUE(wrong.Start());

    const Result<ClientStep> step = right.OnMessage(Ended(password));

    ASSERT_TRUE(step) << SecretKindName(secret->kind());
    EXPECT_TRUE(step->ok);
    EXPECT_EQ(step->send, "");
    ExpectWrongPassword(wrong.OnMessage(Ended(password + "x")), "mia", "wrong password");
  }
}

TEST_F(ClientAuthTest, PlainPasswordForAVerifierShowsTheKeysThatOpenTheServer) {
  ClientAuth login = Login(AuthType::kPlain, "alice", quick_verifier);
  ASSERT_TRUE(login.Start());

  ASSERT_TRUE(login.OnMessage(Ended("secret")));

  ASSERT_NE(login.learned_keys(), nullptr);
  EXPECT_TRUE(login.learned_keys()->BelongTo(quick_verifier->scram()));
}

TEST_F(ClientAuthTest, UnknownUsersAndThoseWithoutAPasswordFailLikeAWrongPassword) {
  for (const AuthType type : {AuthType::kPlain, AuthType::kMd5}) {
    ClientAuth unknown = Login(type, "zoe", nullptr);
    ClientAuth empty = Login(type, "zoe", SecretOf(""));
    ASSERT_TRUE(unknown.Start());
    ASSERT_TRUE(empty.Start());

    ExpectWrongPassword(unknown.OnMessage(Ended("x")), "zoe", "no such user");
    ExpectWrongPassword(empty.OnMessage(Ended("x")), "zoe", "user has no password");
  }
  ClientAuth unknown = Login(AuthType::kScramSha256, "zoe", nullptr);
  ClientAuth empty = Login(AuthType::kScramSha256, "zoe", SecretOf(""));
  ExpectWrongPassword(PlayScram(unknown, "x"), "zoe", "no such user");
  ExpectWrongPassword(PlayScram(empty, "x"), "zoe", "user has no password");
}

TEST_F(ClientAuthTest, Md5ChecksPasswordsAndHashes) {
  for (const auto& secret : {SecretOf(kMiasPassword), SecretOf(kMiasHash)}) {
    ClientAuth right = Login(AuthType::kMd5, "mia", secret);
    ClientAuth wrong = Login(AuthType::kMd5, "mia", secret);
    const std::string request = right.Start()->send;
    ASSERT_EQ(request.size(), 8u);
    EXPECT_EQ(request.substr(0, 4), Int32(5));
    Md5Salt salt{};
    std::copy(request.begin() + 4, request.end(), salt.begin());
    const SecretText answer = Md5Response(Secret::Plain(kMiasPassword), "mia", salt).value();

    const Result<ClientStep> step = right.OnMessage(Ended(answer.view()));

    ASSERT_TRUE(step);
    EXPECT_TRUE(step->ok);
    ASSERT_TRUE(wrong.Start());
    ExpectWrongPassword(wrong.OnMessage(Ended(answer.view())), "mia", "wrong password");
  }
}

TEST_F(ClientAuthTest, Md5MeansScramForUsersWithAVerifier) {
  ClientAuth login = Login(AuthType::kMd5, "alice", quick_verifier);

  const Result<ClientStep> step = PlayScram(login, "secret");

  ASSERT_TRUE(step);
  EXPECT_TRUE(step->ok);
}

TEST_F(ClientAuthTest, ScramWithAVerifierOfPostgresTeachesItsKeys) {
  ClientAuth login = Login(AuthType::kScramSha256, "bob", SecretOf(kBobsVerifier));

  const Result<ClientStep> step = PlayScram(login, kBobsPassword);

  ASSERT_TRUE(step);
  EXPECT_TRUE(step->ok);
  ASSERT_NE(login.learned_keys(), nullptr);
  EXPECT_TRUE(login.learned_keys()->BelongTo(*ParseScramVerifier(kBobsVerifier)));
}

TEST_F(ClientAuthTest, ScramWithAPasswordDerivesItsVerifierOnce) {
  ClientAuth first = Login(AuthType::kScramSha256, "alice", SecretOf("secret"));
  ClientAuth second = Login(AuthType::kScramSha256, "alice", SecretOf("secret"));

  EXPECT_TRUE(PlayScram(first, "secret"));
  EXPECT_TRUE(PlayScram(second, "secret"));

  EXPECT_EQ(verifiers->size(), 1u);
  EXPECT_EQ(first.learned_keys(), nullptr) << "the salt is ours, no server knows it";
}

TEST_F(ClientAuthTest, ScramRefusesAWrongPassword) {
  ClientAuth login = Login(AuthType::kScramSha256, "alice", quick_verifier);

  ExpectWrongPassword(PlayScram(login, "guess"), "alice", "wrong password");
  EXPECT_EQ(login.learned_keys(), nullptr);
}

TEST_F(ClientAuthTest, ScramCannotUseAnMd5HashAndTheLogSaysSo) {
  ClientAuth login = Login(AuthType::kScramSha256, "mia", SecretOf(kMiasHash));

  ExpectWrongPassword(PlayScram(login, kMiasPassword), "mia",
                      "only the md5 hash of the password is known, scram-sha-256 cannot check it");
}

TEST_F(ClientAuthTest, UnknownUserSeesTheSameMessagesAsAKnownOne) {
  ClientAuth known = Login(AuthType::kScramSha256, "alice", SecretOf("secret"));
  ClientAuth unknown = Login(AuthType::kScramSha256, "alice", nullptr);
  EXPECT_EQ(known.Start()->send, unknown.Start()->send);

  const std::string hello = SaslInitialResponse("n,,n=,r=abc");
  const std::string from_known = known.OnMessage(hello)->send;
  const std::string from_unknown = unknown.OnMessage(hello)->send;

  // Only our half of the nonce differs: salt and iterations are those of the name.
  EXPECT_EQ(from_known.substr(from_known.find(",s=")),
            from_unknown.substr(from_unknown.find(",s=")));
  EXPECT_EQ(from_known.size(), from_unknown.size());
}

TEST_F(ClientAuthTest, RefusesPasswordMessagesThatAreNotOneString) {
  for (const AuthType type : {AuthType::kPlain, AuthType::kMd5}) {
    for (const std::string& body : {""s, "secret"s, "secret\0\0"s, "sec\0ret\0"s, "sec\0ret"s,
                                    std::string(kMaxClientMessageBytes, 'x') + '\0'}) {
      ClientAuth login = Login(type, "alice", SecretOf("secret"));
      ASSERT_TRUE(login.Start());
      ExpectMalformed(login.OnMessage(body));
    }
  }
}

TEST_F(ClientAuthTest, AnEmptyPasswordIsNeverRight) {
  for (const char* secret : {"", "secret", "md5d41d8cd98f00b204e9800998ecf8427e"}) {
    ClientAuth login = Login(AuthType::kPlain, "", SecretOf(secret));
    ASSERT_TRUE(login.Start());
    ExpectWrongPassword(login.OnMessage(Ended("")), "", "client sent an empty password");
  }
}

TEST_F(ClientAuthTest, RefusesVerifiersThatWouldStopTheLoop) {
  ScramVerifier heavy = *QuickVerifier("secret");
  heavy.iterations = 2'000'000'000;
  ClientAuth login =
      Login(AuthType::kPlain, "alice", std::make_shared<const Secret>(Secret::Scram(heavy)));
  ASSERT_TRUE(login.Start());

  const Result<ClientStep> step = login.OnMessage(Ended("secret"));

  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().sqlstate, "28000");
}

TEST_F(ClientAuthTest, IsSpentAfterItsEnd) {
  ClientAuth right = Login(AuthType::kPlain, "alice", SecretOf("secret"));
  ClientAuth wrong = Login(AuthType::kPlain, "alice", SecretOf("secret"));
  ASSERT_TRUE(right.Start());
  ASSERT_TRUE(wrong.Start());
  ASSERT_TRUE(right.OnMessage(Ended("secret")));
  ASSERT_FALSE(wrong.OnMessage(Ended("guess")));

  ExpectMalformed(right.OnMessage(Ended("secret")));
  ExpectMalformed(wrong.OnMessage(Ended("secret")));
}

}  // namespace
}  // namespace pgvalet::auth

#include "auth/server_auth.h"

#include <gtest/gtest.h>

#include <string>

#include "auth/client_auth.h"
#include "auth/md5.h"
#include "auth/scram_server.h"
#include "samples.h"

namespace pgvalet::auth {
namespace {

using std::string_literals::operator""s;

constexpr ScramLimits kQuick{1, 10'000};

ServerAuth LoginWith(std::string_view secret, std::shared_ptr<const ScramKeys> keys = nullptr) {
  return ServerAuth(ServerCredentials{"mia", SecretOf(secret), std::move(keys)}, kQuick);
}

ServerAuth LoginWithNothing() { return ServerAuth(ServerCredentials{"mia", nullptr, nullptr}); }

const std::string kOk = Int32(0);
const std::string kAskPassword = Int32(3);
const std::string kAskMd5 = Int32(5) + "salt";
const std::string kAskScram = Int32(10) + "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"s;

void ExpectRefusal(const Result<ServerStep>& step, std::string_view what) {
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, ErrorCode::kAuth);
  EXPECT_EQ(step.error().sqlstate, "28000");
  EXPECT_EQ(step.error().what, what);
}

void ExpectMalformed(const Result<ServerStep>& step) {
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, ErrorCode::kProtocol);
}

// A server that keeps `verifier`, up to the message before AuthenticationOk.
Result<ServerStep> PlayScram(ServerAuth& login, std::shared_ptr<const ScramVerifier> verifier) {
  ScramServer server(std::move(verifier), ScramServer::Doom::kNo, "servernonce");
  Result<ServerStep> step = login.OnAuthentication(kAskScram);
  if (!step) return step;
  Result<std::string> data = server.OnInitialResponse(step->reply.view());
  if (!data) return data.error();
  step = login.OnAuthentication(Int32(11) + *data);
  if (!step) return step;
  data = server.OnResponse(step->reply.view());
  if (!data) return data.error();
  return login.OnAuthentication(Int32(12) + *data);
}

TEST(ServerAuthTest, TrustingServerNeedsNothing) {
  const Result<ServerStep> step = LoginWithNothing().OnAuthentication(kOk);

  ASSERT_TRUE(step);
  EXPECT_TRUE(step->ok);
  EXPECT_TRUE(step->reply.empty());
}

TEST(ServerAuthTest, SendsThePasswordOnlyWhenItIsKnown) {
  ServerAuth login = LoginWith("secret");

  EXPECT_EQ(login.OnAuthentication(kAskPassword)->reply.view(), Ended("secret"));
  EXPECT_TRUE(login.OnAuthentication(kOk)->ok);
  ExpectRefusal(LoginWith(kMiasHash).OnAuthentication(kAskPassword),
                "server asks for the password itself, only a hash of it is known");
  ExpectRefusal(LoginWith(kBobsVerifier).OnAuthentication(kAskPassword),
                "server asks for the password itself, only a hash of it is known");
}

TEST(ServerAuthTest, AnswersMd5FromPasswordAndHash) {
  const std::string expected =
      Ended(Md5Response(Secret::Plain(kMiasPassword), "mia", {'s', 'a', 'l', 't'})->view());

  EXPECT_EQ(LoginWith(kMiasPassword).OnAuthentication(kAskMd5)->reply.view(), expected);
  EXPECT_EQ(LoginWith(kMiasHash).OnAuthentication(kAskMd5)->reply.view(), expected);
  ExpectRefusal(LoginWith(kBobsVerifier).OnAuthentication(kAskMd5),
                "server asks for md5, only a SCRAM verifier is known");
}

TEST(ServerAuthTest, LogsInByScramWithThePasswordAndKeepsTheKeys) {
  ServerAuth login = LoginWith("secret");

  const Result<ServerStep> proved = PlayScram(login, QuickVerifier("secret"));
  ASSERT_TRUE(proved);
  EXPECT_FALSE(proved->ok);
  EXPECT_TRUE(proved->reply.empty());
  EXPECT_EQ(login.learned_keys(), nullptr) << "not before AuthenticationOk";

  ASSERT_TRUE(login.OnAuthentication(kOk));
  EXPECT_TRUE(login.learned_keys()->BelongTo(*QuickVerifier("secret")));
}

TEST(ServerAuthTest, KeysAClientProvedOpenTheServer) {
  const auto keys = std::make_shared<const ScramKeys>(QuickKeys("secret"));
  ServerAuth login(ServerCredentials{"mia", nullptr, keys});

  ASSERT_TRUE(PlayScram(login, QuickVerifier("secret")));
  EXPECT_TRUE(login.OnAuthentication(kOk)->ok);
}

TEST(ServerAuthTest, KeysOfAnotherVerifierGiveWayToThePassword) {
  const auto keys = std::make_shared<const ScramKeys>(QuickKeys("secret", "another salt"));
  ServerAuth with = LoginWith("secret", keys);
  ServerAuth without(ServerCredentials{"mia", nullptr, keys}, kQuick);

  EXPECT_TRUE(PlayScram(with, QuickVerifier("secret")));
  ExpectRefusal(PlayScram(without, QuickVerifier("secret")),
                "server keeps another SCRAM verifier of this user than the one its client proved "
                "to know");
}

TEST(ServerAuthTest, SaysWhatWouldHelpWhenNothingFits) {
  const Result<ServerStep> nothing = LoginWithNothing().OnAuthentication(kAskScram);
  const Result<ServerStep> hash = LoginWith(kMiasHash).OnAuthentication(kAskScram);
  const Result<ServerStep> verifier = LoginWith(kBobsVerifier).OnAuthentication(kAskScram);

  ExpectRefusal(nothing, "server asks for a password and none is known");
  ExpectRefusal(LoginWith("").OnAuthentication(kAskMd5),
                "server asks for a password and none is known");
  ExpectRefusal(hash, "server asks for SCRAM, only an md5 hash is known");
  ExpectRefusal(verifier, "server asks for SCRAM, only the verifier is known");
  EXPECT_NE(nothing.error().detail.find("user \"mia\""), std::string::npos);
  EXPECT_NE(verifier.error().detail.find("log in by SCRAM"), std::string::npos);
}

TEST(ServerAuthTest, NamesMethodsItDoesNotHave) {
  ExpectRefusal(LoginWith("x").OnAuthentication(Int32(2)),
                "server asks for Kerberos V5, which is not supported");
  ExpectRefusal(LoginWith("x").OnAuthentication(Int32(7)),
                "server asks for GSSAPI, which is not supported");
  ExpectRefusal(LoginWith("x").OnAuthentication(Int32(9)),
                "server asks for SSPI, which is not supported");
  ExpectRefusal(LoginWith("x").OnAuthentication(Int32(77)),
                "server asks for a login method that is not known");
  ExpectRefusal(LoginWith("x").OnAuthentication(Int32(10) + "SCRAM-SHA-1\0OTHER\0\0"s),
                "server offers no SASL mechanism but unsupported ones");
}

TEST(ServerAuthTest, DoesNotBelieveAServerThatSkipsItsSignature) {
  for (const bool after_proof : {false, true}) {
    ServerAuth login = LoginWith("secret");
    ScramServer server(QuickVerifier("secret"), ScramServer::Doom::kNo, "servernonce");
    const Result<ServerStep> first = login.OnAuthentication(kAskScram);
    const Result<std::string> data = server.OnInitialResponse(first->reply.view());
    if (after_proof) {
      ASSERT_TRUE(login.OnAuthentication(Int32(11) + *data));
    }

    ExpectRefusal(login.OnAuthentication(kOk),
                  "server ended SCRAM without proving that it knows the password");
    ExpectMalformed(login.OnAuthentication(kOk));
  }
}

TEST(ServerAuthTest, DoesNotTellASecondSecretAfterTheFirst) {
  for (const std::string& second : {kAskPassword, kAskMd5, kAskScram, Int32(11), Int32(12)}) {
    ServerAuth login = LoginWith("secret");
    ASSERT_TRUE(login.OnAuthentication(kAskMd5));
    ExpectMalformed(login.OnAuthentication(second));

    ServerAuth in_scram = LoginWith("secret");
    ASSERT_TRUE(in_scram.OnAuthentication(kAskScram));
    ExpectMalformed(in_scram.OnAuthentication(second));
  }
}

TEST(ServerAuthTest, RefusesMalformedMessages) {
  for (const std::string& body :
       {""s, "\0\0\0"s, kOk + "x", kAskPassword + "x", Int32(5), Int32(5) + "sal", kAskMd5 + "x",
        Int32(10), Int32(10) + "SCRAM-SHA-256", Int32(10) + "SCRAM-SHA-256\0"s,
        Int32(10) + "SCRAM-SHA-256\0\0x"s, Int32(10) + "SCRAM-SHA-256\0x"s, Int32(11) + "r=a",
        Int32(12) + "v=a", Int32(10) + std::string(kMaxServerMessageBytes, 'x')}) {
    ServerAuth login = LoginWith("secret");
    ExpectMalformed(login.OnAuthentication(body));
    ExpectMalformed(login.OnAuthentication(kOk));
  }
}

TEST(ServerAuthTest, NothingFollowsOk) {
  ServerAuth login = LoginWithNothing();
  ASSERT_TRUE(login.OnAuthentication(kOk));

  ExpectMalformed(login.OnAuthentication(kOk));
}

// Our own two sides, as two poolers in a row would play it.
TEST(ServerAuthTest, LogsInToOurOwnClientLoginByEveryMethod) {
  const auto verifiers = VerifierCache::Create().value();
  for (const auto type : {config::AuthType::kTrust, config::AuthType::kPlain,
                          config::AuthType::kMd5, config::AuthType::kScramSha256}) {
    ClientAuth front(type, "mia", SecretOf("secret"), *verifiers);
    ServerAuth back(ServerCredentials{"mia", SecretOf("secret"), nullptr});

    Result<ClientStep> step = front.Start();
    while (step && !step->ok) {
      const Result<ServerStep> answer = back.OnAuthentication(step->send);
      ASSERT_TRUE(answer) << answer.error().what;
      step = front.OnMessage(answer->reply.view());
    }

    ASSERT_TRUE(step) << step.error().what;
    if (!step->send.empty()) {
      ASSERT_TRUE(back.OnAuthentication(step->send));
    }
    EXPECT_TRUE(back.OnAuthentication(kAuthenticationOk)->ok);
  }
}

}  // namespace
}  // namespace pgvalet::auth

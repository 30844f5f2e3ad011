#include "auth/scram_server.h"

#include <gtest/gtest.h>

#include <string>

#include "auth/crypto.h"
#include "samples.h"

namespace pgvalet::auth {
namespace {

using std::string_literals::operator""s;

// The example of RFC 7677, section 3.
constexpr char kClientFirst[] = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr char kServerNonce[] = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr char kServerFirst[] =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr char kWithoutProof[] = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr char kProof[] = ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr char kServerFinal[] = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

std::shared_ptr<const ScramVerifier> RfcVerifier() {
  static const auto verifier = std::make_shared<const ScramVerifier>(
      VerifierOf(DeriveScramKeys("pencil", *FromBase64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096).value()));
  return verifier;
}

struct ScramServerTest : testing::Test {
  ScramServer server{RfcVerifier(), ScramServer::Doom::kNo, kServerNonce};
};

void ExpectMalformed(const Result<std::string>& answer) {
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kProtocol);
  EXPECT_EQ(answer.error().sqlstate, "08P01");
}

TEST_F(ScramServerTest, SaysWhatTheExampleOfTheRfcSays) {
  Result<std::string> first = server.OnInitialResponse(SaslInitialResponse(kClientFirst));
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, kServerFirst);

  Result<std::string> final = server.OnResponse(std::string(kWithoutProof) + kProof);

  ASSERT_TRUE(final);
  EXPECT_EQ(*final, kServerFinal);
  EXPECT_TRUE(server.done());
  EXPECT_TRUE(server.keys().BelongTo(*RfcVerifier()));
}

TEST_F(ScramServerTest, AsksByAnEmptyChallengeAClientThatSentNoInitialResponse) {
  Result<std::string> empty = server.OnInitialResponse(Ended("SCRAM-SHA-256") + Int32(0xffffffff));
  ASSERT_TRUE(empty);
  EXPECT_EQ(*empty, "");

  Result<std::string> first = server.OnResponse(kClientFirst);

  ASSERT_TRUE(first);
  EXPECT_EQ(*first, kServerFirst);
}

TEST_F(ScramServerTest, TakesAClientThatCouldBindChannelsButSawNoOffer) {
  ASSERT_TRUE(server.OnInitialResponse(SaslInitialResponse("y,,n=user,r=rOprNGfwEbeRWgbNEkqO")));

  // "eSws" is "y,,": the header is part of what the proof signs, so this proof is wrong.
  Result<std::string> answer = server.OnResponse(
      "c=eSws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0" + std::string(kProof));

  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kAuth);
}

TEST_F(ScramServerTest, RefusesAHeaderThatDiffersFromTheFirst) {
  ASSERT_TRUE(server.OnInitialResponse(SaslInitialResponse("y,,n=user,r=rOprNGfwEbeRWgbNEkqO")));

  ExpectMalformed(server.OnResponse(std::string(kWithoutProof) + kProof));
}

TEST_F(ScramServerTest, RefusesChannelBinding) {
  const Result<std::string> answer =
      server.OnInitialResponse(SaslInitialResponse("p=tls-server-end-point,,n=user,r=abc"));

  ExpectMalformed(answer);
  EXPECT_NE(std::string(answer.error().what).find("channel binding"), std::string::npos);
}

TEST_F(ScramServerTest, RefusesAuthorizationIdentitiesAndMandatoryExtensions) {
  ScramServer other(RfcVerifier(), ScramServer::Doom::kNo, kServerNonce);

  const Result<std::string> identity =
      server.OnInitialResponse(SaslInitialResponse("n,a=root,n=user,r=abc"));
  const Result<std::string> extension =
      other.OnInitialResponse(SaslInitialResponse("n,,m=x,n=user,r=abc"));

  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().sqlstate, "0A000");
  ASSERT_FALSE(extension);
  EXPECT_EQ(extension.error().sqlstate, "0A000");
}

TEST_F(ScramServerTest, RefusesANonceThatIsNotItsOwn) {
  ASSERT_TRUE(server.OnInitialResponse(SaslInitialResponse(kClientFirst)));

  ExpectMalformed(server.OnResponse("c=biws,r=rOprNGfwEbeRWgbNEkqO" + std::string(kProof)));
}

TEST_F(ScramServerTest, AnyChangedByteOfTheProofIsAWrongPassword) {
  const std::string right = *FromBase64(std::string_view(kProof).substr(3));
  for (std::size_t i = 0; i < right.size(); ++i) {
    ScramServer fresh(RfcVerifier(), ScramServer::Doom::kNo, kServerNonce);
    ASSERT_TRUE(fresh.OnInitialResponse(SaslInitialResponse(kClientFirst)));
    std::string wrong = right;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);

    const Result<std::string> answer = fresh.OnResponse(kWithoutProof + ",p="s + ToBase64(wrong));

    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().sqlstate, "28P01");
    EXPECT_FALSE(fresh.done());
  }
}

TEST_F(ScramServerTest, ADoomedExchangeFailsOnTheRightProof) {
  ScramServer doomed(RfcVerifier(), ScramServer::Doom::kYes, kServerNonce);
  ASSERT_TRUE(doomed.OnInitialResponse(SaslInitialResponse(kClientFirst)));

  const Result<std::string> answer = doomed.OnResponse(std::string(kWithoutProof) + kProof);

  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().sqlstate, "28P01");
}

TEST_F(ScramServerTest, IsSpentAfterAnError) {
  ASSERT_TRUE(server.OnInitialResponse(SaslInitialResponse(kClientFirst)));
  ASSERT_FALSE(server.OnResponse("nonsense"));

  ExpectMalformed(server.OnResponse(std::string(kWithoutProof) + kProof));
}

TEST_F(ScramServerTest, IsSpentAfterSuccess) {
  ASSERT_TRUE(server.OnInitialResponse(SaslInitialResponse(kClientFirst)));
  ASSERT_TRUE(server.OnResponse(std::string(kWithoutProof) + kProof));

  ExpectMalformed(server.OnResponse(std::string(kWithoutProof) + kProof));
  EXPECT_FALSE(server.done());
}

TEST(ScramServerInputTest, EveryTruncationOfTheInitialResponseIsRefused) {
  const std::string body = SaslInitialResponse("n,,n=,r=x");
  for (std::size_t size = 0; size < body.size(); ++size) {
    ScramServer server(RfcVerifier(), ScramServer::Doom::kNo, kServerNonce);
    ExpectMalformed(server.OnInitialResponse(std::string_view(body).substr(0, size)));
  }
}

TEST(ScramServerInputTest, RefusesLengthsThatLie) {
  for (const std::uint32_t size :
       {0u, 1u, 31u, 33u, 0x7fffffffu, 0x80000000u, 0xfffffffeu, 0xffffffffu}) {
    ScramServer server(RfcVerifier(), ScramServer::Doom::kNo, kServerNonce);
    ExpectMalformed(server.OnInitialResponse(Ended("SCRAM-SHA-256") + Int32(size) + kClientFirst));
  }
}

TEST(ScramServerInputTest, RefusesMalformedFirstMessages) {
  for (const std::string& text : {""s,
                                  "n"s,
                                  "n,"s,
                                  "n,,"s,
                                  "n,,,"s,
                                  "x,,n=,r=a"s,
                                  "n=,r=a"s,
                                  "n,,r=a"s,
                                  "n,,r=a,n="s,
                                  "n,,n=,r="s,
                                  "n,,n=,r=a,"s,
                                  "n,,n=,r=a b"s,
                                  "n,,n=,r=a\x7f"s,
                                  "n,,n=,r=\xc3\xa4"s,
                                  "n,,n=,r=a\0b"s,
                                  "n,,n=\0,r=a"s,
                                  "n,,n=,r=a,,"s,
                                  "n,,n=,r=a,1=x"s,
                                  "n,,n=,r=a,xx"s,
                                  "n,,n,r=a"s,
                                  "nn,,n=,r=a"s,
                                  "n,,n=,r="s + std::string(kMaxNonceBytes + 1, 'a'),
                                  "n,,n=,r=a,x="s + std::string(kMaxSaslMessageBytes, 'a')}) {
    ScramServer server(RfcVerifier(), ScramServer::Doom::kNo, kServerNonce);
    ExpectMalformed(server.OnInitialResponse(SaslInitialResponse(text)));
  }
}

TEST(ScramServerInputTest, IgnoresOptionalExtensions) {
  ScramServer server(RfcVerifier(), ScramServer::Doom::kNo, kServerNonce);

  EXPECT_TRUE(server.OnInitialResponse(SaslInitialResponse("n,,n=,r=a,x=y,z=")));
}

TEST(ScramServerInputTest, RefusesMalformedFinalMessages) {
  const std::string nonce = "rOprNGfwEbeRWgbNEkqO"s + kServerNonce;
  for (const std::string& text :
       {""s, "p="s, "c=biws"s, kWithoutProof + ""s, kWithoutProof + ",p"s, kWithoutProof + ",p="s,
        kWithoutProof + ",p=x"s, kWithoutProof + ",p=dHzb"s, kWithoutProof + (kProof + "x"s),
        kWithoutProof + (kProof + ",x=y"s), kWithoutProof + (kProof + "\0"s), "r=" + nonce + kProof,
        "r=" + nonce + ",c=biws" + kProof, "c=,r=" + nonce + kProof,
        "c=biws,r=" + nonce + "," + kProof, "c=biws,r=" + nonce + "\0"s + kProof,
        "c=biws,r=" + nonce + ",x" + kProof, "c=biws,r=" + nonce + "x" + kProof,
        "c=biws,r=" + nonce + ",x=" + std::string(kMaxSaslMessageBytes, 'a') + kProof}) {
    ScramServer server(RfcVerifier(), ScramServer::Doom::kNo, kServerNonce);
    ASSERT_TRUE(server.OnInitialResponse(SaslInitialResponse(kClientFirst)));
    ExpectMalformed(server.OnResponse(text));
  }
}

TEST(ScramServerInputTest, RefusesMechanismsItDidNotOffer) {
  for (const char* mechanism :
       {"", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "scram-sha-256", "PLAIN"}) {
    ScramServer server(RfcVerifier(), ScramServer::Doom::kNo, kServerNonce);
    ExpectMalformed(server.OnInitialResponse(SaslInitialResponse(kClientFirst, mechanism)));
  }
}

TEST(ScramServerInputTest, MechanismListEndsWithAnEmptyName) {
  EXPECT_EQ(ScramServer::Mechanisms(), "SCRAM-SHA-256\0\0"s);
}

TEST(ScramServerInputTest, NoncesNeverRepeat) {
  EXPECT_NE(ScramServer::NewNonce().value(), ScramServer::NewNonce().value());
}

}  // namespace
}  // namespace pgvalet::auth

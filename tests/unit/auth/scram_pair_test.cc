// Both sides of SCRAM against each other: what must hold for every password, nonce and salt.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "auth/scram_client.h"
#include "auth/scram_server.h"
#include "samples.h"

namespace pgvalet::auth {
namespace {

constexpr ScramLimits kQuick{1, 100};

struct Outcome {
  bool client_in = false;
  bool server_proved = false;
  std::shared_ptr<const ScramKeys> learned;  // by the server
};

// Changes a message on its way; `step` counts the four messages from 0.
using Wire = std::string (*)(int step, std::string message);

std::string Faithful(int, std::string message) { return message; }

Outcome Play(ScramClient client, ScramServer server, Wire wire = Faithful) {
  Outcome outcome;
  Result<std::string> message =
      server.OnInitialResponse(SaslInitialResponse(wire(0, client.Start())));
  if (!message) return outcome;
  message = client.OnContinue(wire(1, *message));
  if (!message) return outcome;
  message = server.OnResponse(wire(2, *message));
  if (!message) return outcome;
  outcome.client_in = server.done();
  outcome.learned = std::make_shared<const ScramKeys>(server.keys());
  outcome.server_proved = client.OnFinal(wire(3, *message)).has_value();
  return outcome;
}

ScramClient ClientWith(std::string_view password, std::shared_ptr<const ScramKeys> keys = nullptr) {
  return ScramClient(SecretText(password), std::move(keys), ScramServer::NewNonce().value(),
                     kQuick);
}

ScramServer ServerWith(std::string_view password) {
  return ScramServer(QuickVerifier(password), ScramServer::Doom::kNo,
                     ScramServer::NewNonce().value());
}

std::string RandomPassword(std::mt19937& random) {
  std::string text(1 + random() % 40, '\0');
  for (char& c : text) c = static_cast<char>(1 + random() % 255);
  return text;
}

TEST(ScramPairTest, SamePasswordLetsInAndDifferentOnesDoNot) {
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    const std::string password = RandomPassword(random);
    const Outcome same = Play(ClientWith(password), ServerWith(password));
    const Outcome other = Play(ClientWith(password), ServerWith(password + "x"));

    EXPECT_TRUE(same.client_in && same.server_proved);
    EXPECT_FALSE(other.client_in || other.server_proved);
  }
}

TEST(ScramPairTest, KeysLearnedFromAClientOpenTheServerWithoutThePassword) {
  std::mt19937 random(8);
  for (int i = 0; i < 100; ++i) {
    const std::string password = RandomPassword(random);
    const Outcome at_the_pooler = Play(ClientWith(password), ServerWith(password));

    const Outcome at_the_server = Play(ClientWith("", at_the_pooler.learned), ServerWith(password));

    EXPECT_TRUE(at_the_server.client_in && at_the_server.server_proved);
  }
}

TEST(ScramPairTest, KeysLearnedFromAClientDoNotOpenAfterThePasswordChanged) {
  const Outcome before = Play(ClientWith("old"), ServerWith("old"));

  const Outcome after = Play(ClientWith("", before.learned), ServerWith("new"));

  EXPECT_FALSE(after.client_in);
}

TEST(ScramPairTest, EquivalentPasswordsOpenTheSameDoor) {
  EXPECT_TRUE(Play(ClientWith("pa\xcc\x88ss"), ServerWith("p\xc3\xa4ss")).client_in);
  EXPECT_TRUE(Play(ClientWith("I\xc2\xadX"), ServerWith("\xe2\x85\xa8")).client_in);
}

TEST(ScramPairTest, ADoomedServerLooksAliveUntilTheEnd) {
  ScramServer doomed(QuickVerifier("password"), ScramServer::Doom::kYes, "nonce");
  ScramClient client = ClientWith("password");

  Result<std::string> first = doomed.OnInitialResponse(SaslInitialResponse(client.Start()));
  ASSERT_TRUE(first);
  Result<std::string> final = client.OnContinue(*first);
  ASSERT_TRUE(final);

  EXPECT_EQ(doomed.OnResponse(*final).error().sqlstate, "28P01");
}

// One byte is changed in one of the four messages.
std::string Tamper(int step, std::string message) {
  static std::mt19937 random(9);
  static int turn = 0;
  if (step == 0) turn = (turn + 1) % 4;
  if (step == turn) {
    message[random() % message.size()] ^= static_cast<char>(1 << random() % 7);
  }
  return message;
}

TEST(ScramPairTest, NobodyIsFooledByAChangedByte) {
  int both = 0;
  for (int i = 0; i < 4000; ++i) {
    const Outcome outcome = Play(ClientWith("password"), ServerWith("password"), Tamper);
    both += outcome.client_in && outcome.server_proved ? 1 : 0;
  }

  // Every message is signed by both, the client's gs2 header by its echo.
  EXPECT_EQ(both, 0);
}

TEST(ScramPairTest, AnEchoIsNotAProof) {
  ScramClient client = ClientWith("password");
  const std::string first = client.Start();

  // A server that only repeats what it hears.
  EXPECT_FALSE(client.OnContinue(first));
}

}  // namespace
}  // namespace pgvalet::auth

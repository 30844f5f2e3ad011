// Whole logins: bodies of 'p' to client_auth and bodies of 'R' to server_auth, one per line.  The
// first byte chooses the login method and the kind of secret.
#include "auth/client_auth.h"
#include "auth/server_auth.h"
#include "fuzz_input.h"

using namespace pgvalet;
using namespace pgvalet::auth;

namespace {

std::shared_ptr<const Secret> ChooseSecret(unsigned choice) {
  switch (choice % 5) {
    case 0:
      return nullptr;
    case 1:
      return std::make_shared<const Secret>();
    case 2:
      return std::make_shared<const Secret>(Secret::Plain("pencil"));
    case 3:
      return std::make_shared<const Secret>(
          Secret::Parse("md5cd3114e3615479924bd1d73de8622c07").value());
    default:
      return std::make_shared<const Secret>(Secret::Scram(*PencilVerifier()));
  }
}

void PlayClient(config::AuthType type, std::shared_ptr<const Secret> secret,
                std::string_view messages) {
  static const std::unique_ptr<VerifierCache> verifiers = VerifierCache::Create().value();
  const bool hopeless = !secret || secret->kind() == SecretKind::kNone;
  ClientAuth login(type, "mia", std::move(secret), *verifiers);
  auto step = login.Start();
  for (int i = 0; i < 4 && step && !step->ok; ++i) {
    Require(step->send.size() >= 4);
    step = login.OnMessage(TakeLine(messages));
  }
  Require(!hopeless || type == config::AuthType::kTrust || !step || !step->ok);
  if (!step) Require(step.error().sqlstate.size() == 5 && !ClientText(step.error(), "mia").empty());
}

void PlayServer(std::shared_ptr<const Secret> secret, bool with_keys, std::string_view messages) {
  static const auto keys = std::make_shared<const ScramKeys>(PencilKeys());
  ServerAuth login(ServerCredentials{"mia", std::move(secret), with_keys ? keys : nullptr},
                   ScramLimits{1, 4});
  for (int i = 0; i < 5; ++i) {
    const auto step = login.OnAuthentication(TakeLine(messages));
    if (!step) Require(step.error().sqlstate.size() == 5);
    if (!step || step->ok) break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = data[0];
  const std::string_view messages = Input(data + 1, size - 1);
  PlayClient(static_cast<config::AuthType>(choice / 5 % 4), ChooseSecret(choice), messages);
  PlayServer(ChooseSecret(choice), choice >= 128, messages);
  return 0;
}

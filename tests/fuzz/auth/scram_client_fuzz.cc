// Messages of a server to our SCRAM: the data of SASLContinue and of SASLFinal, one per line.
#include "auth/scram_client.h"
#include "fuzz_input.h"

using namespace pgvalet::auth;

namespace {

void Play(std::string_view messages, ScramClient client) {
  Require(client.Start() == "n,,n=,r=clientnonce");
  const auto answer = client.OnContinue(TakeLine(messages));
  if (!answer) {
    Require(!client.OnFinal("v=").has_value());
    return;
  }
  Require(answer->starts_with("c=biws,r=clientnonce"));
  Require(client.OnFinal(TakeLine(messages)).has_value() == client.done());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view messages = Input(data, size);
  static const auto keys = std::make_shared<const ScramKeys>(PencilKeys());
  Play(messages, ScramClient(SecretText("pencil"), nullptr, "clientnonce", ScramLimits{1, 4}));
  Play(messages, ScramClient({}, keys, "clientnonce"));
  return 0;
}

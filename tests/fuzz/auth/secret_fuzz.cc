// Secrets: verifiers as texts, and passwords as SASLprep sees them.
#include "auth/secret.h"
#include "fuzz_input.h"

using namespace pgvalet::auth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = Input(data, size);
  if (const auto secret = Secret::Parse(text)) {
    Require(*secret == *Secret::Parse(text));
    if (secret->kind() == SecretKind::kScram) {
      Require(*ParseScramVerifier(FormatScramVerifier(secret->scram())) == secret->scram());
    }
    if (secret->kind() == SecretKind::kPlain) Require(secret->plain() == text);
  }
  const SecretText prepared = PreparePassword(text);
  Require(prepared.empty() == text.empty());
  Require(prepared.view().size() <= text.size() * 11);
  return 0;
}

#include <openssl/crypto.h>
#include <stringprep.h>

#include <algorithm>
#include <string>
#include <vector>

#include "auth/scram.h"

namespace pgvalet::auth {
namespace {

// libidn's SASLprep with normalization as the last step.  RFC 4013 wants it before the checks;
// PostgreSQL checks first, so some Arabic and Hebrew presentation forms pass there that the RFC
// prohibits and the other way round, and our keys must come out as the server's.
std::vector<Stringprep_profile> PostgresProfile() {
  std::vector<Stringprep_profile> steps;
  for (const Stringprep_profile* step = stringprep_saslprep; step->operation != 0; ++step) {
    steps.push_back(*step);
  }
  std::stable_partition(steps.begin(), steps.end(), [](const Stringprep_profile& step) {
    return step.operation != STRINGPREP_NFKC;
  });
  steps.push_back({});
  return steps;
}

}  // namespace

SecretText PreparePassword(std::string_view password) {
  const bool ascii = std::all_of(password.begin(), password.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  // PostgreSQL leaves ASCII alone, control characters included.
  if (ascii || password.find('\0') != std::string_view::npos) return SecretText(password);

  static const std::vector<Stringprep_profile> profile = PostgresProfile();
  // NFKC grows a character at most elevenfold (U+FDFA, three bytes to thirty-three).
  std::string text(password.size() * 11 + 1, '\0');
  std::copy(password.begin(), password.end(), text.begin());
  const int failed = stringprep(text.data(), text.size(), STRINGPREP_NO_UNASSIGNED, profile.data());
  const std::string_view prepared = text.c_str();
  SecretText result(failed != STRINGPREP_OK || prepared.empty() ? password : prepared);
  OPENSSL_cleanse(text.data(), text.size());
  return result;
}

}  // namespace pgvalet::auth

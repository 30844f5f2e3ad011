#include <openssl/crypto.h>
#include <stringprep.h>

#include <algorithm>
#include <string>

#include "auth/scram.h"

namespace pgvalet::auth {

SecretText PreparePassword(std::string_view password) {
  const bool ascii = std::all_of(password.begin(), password.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  // PostgreSQL leaves ASCII alone, control characters included.
  if (ascii || password.find('\0') != std::string_view::npos) return SecretText(password);

  // NFKC grows a character at most elevenfold (U+FDFA, three bytes to thirty-three).
  std::string text(password.size() * 11 + 1, '\0');
  std::copy(password.begin(), password.end(), text.begin());
  const int failed =
      stringprep(text.data(), text.size(), STRINGPREP_NO_UNASSIGNED, stringprep_saslprep);
  const std::string_view prepared = text.c_str();
  SecretText result(failed != STRINGPREP_OK || prepared.empty() ? password : prepared);
  OPENSSL_cleanse(text.data(), text.size());
  return result;
}

}  // namespace pgvalet::auth

#include "auth/scram.h"

#include <openssl/evp.h>

#include <new>

#include "auth/crypto.h"

namespace pgvalet::auth {

Result<ScramKeys> DeriveScramKeys(std::string_view password, std::string_view salt,
                                  int iterations) {
  if (iterations < 1 || iterations > kMaxDerivedIterations) {
    return Error{ErrorCode::kAuth, "SCRAM iteration count is beyond what we derive with", 0,
                 std::to_string(iterations), "28000"};
  }
  const SecretText prepared = PreparePassword(password);
  const std::string_view text = prepared.view();
  Key salted;
  if (PKCS5_PBKDF2_HMAC(text.empty() ? "" : text.data(), static_cast<int>(text.size()),
                        reinterpret_cast<const unsigned char*>(salt.data()),
                        static_cast<int>(salt.size()), iterations, EVP_sha256(),
                        static_cast<int>(Key::kBytes), salted.data()) != 1) {
    throw std::bad_alloc();
  }
  return ScramKeys{iterations, std::string(salt), HmacSha256(salted.view(), "Client Key"),
                   HmacSha256(salted.view(), "Server Key")};
}

ScramVerifier VerifierOf(const ScramKeys& keys) {
  return ScramVerifier{keys.iterations, keys.salt, Sha256(keys.client_key.view()), keys.server_key};
}

}  // namespace pgvalet::auth

#include "auth/md5.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "auth/crypto.h"

namespace pgvalet::auth {
namespace {

// "md5" and the hex digest of both texts, one after the other.
Result<SecretText> Md5Text(std::string_view first, std::string_view second) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  if (!context || EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), first.data(), first.size()) != 1 ||
      EVP_DigestUpdate(context.get(), second.data(), second.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), &size) != 1) {
    return Error{ErrorCode::kAuth, "this OpenSSL offers no MD5 (FIPS mode?)", 0, {}, "28000"};
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<char, 35> text{'m', 'd', '5'};
  for (std::size_t i = 0; i < 16; ++i) {
    text[3 + 2 * i] = kHex[digest[i] >> 4];
    text[4 + 2 * i] = kHex[digest[i] & 15];
  }
  SecretText result(std::string_view(text.data(), text.size()));
  OPENSSL_cleanse(text.data(), text.size());
  OPENSSL_cleanse(digest.data(), digest.size());
  return result;
}

}  // namespace

Result<Secret> Md5SecretOf(std::string_view password, std::string_view user) {
  Result<SecretText> text = Md5Text(password, user);
  if (!text) return text.error();
  return Secret::Parse(text->view());
}

Result<SecretText> Md5Response(const Secret& secret, std::string_view user, const Md5Salt& salt) {
  const std::string_view salt_text(salt.data(), salt.size());
  if (secret.kind() == SecretKind::kMd5) return Md5Text(secret.md5().substr(3), salt_text);
  if (secret.kind() != SecretKind::kPlain) {
    return Error{ErrorCode::kAuth, "md5 needs the password or its md5 hash", 0, {}, "28000"};
  }
  Result<Secret> hashed = Md5SecretOf(secret.plain(), user);
  if (!hashed) return hashed.error();
  return Md5Text(hashed->md5().substr(3), salt_text);
}

Result<Md5Salt> NewMd5Salt() {
  Result<std::string> random = RandomBytes(Md5Salt{}.size());
  if (!random) return random.error();
  Md5Salt salt{};
  std::copy(random->begin(), random->end(), salt.begin());
  return salt;
}

}  // namespace pgvalet::auth

#include "auth/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <new>

namespace pgvalet::auth {
namespace {

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Key Sha256(std::string_view text) {
  Key digest;
  if (SHA256(Bytes(text), text.size(), digest.data()) == nullptr) throw std::bad_alloc();
  return digest;
}

Key HmacSha256(std::string_view key, std::string_view text) {
  Key digest;
  unsigned int size = 0;
  // A null pointer would mean "the key of last time" to OpenSSL.
  if (HMAC(EVP_sha256(), key.empty() ? "" : key.data(), static_cast<int>(key.size()), Bytes(text),
           text.size(), digest.data(), &size) == nullptr) {
    throw std::bad_alloc();
  }
  return digest;
}

Key Xor(const Key& a, const Key& b) {
  Key result;
  for (std::size_t i = 0; i < Key::kBytes; ++i) {
    result.data()[i] = static_cast<std::uint8_t>(a.data()[i] ^ b.data()[i]);
  }
  return result;
}

bool SameBytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<std::string> RandomBytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
    return Error{ErrorCode::kAuth, "no randomness from OpenSSL", 0, {}, "58000"};
  }
  return bytes;
}

std::string ToBase64(std::string_view raw) {
  std::string text((raw.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL writes a NUL behind it
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), Bytes(raw),
                                   static_cast<int>(raw.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> FromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.empty()) return std::string();
  std::string raw(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(raw.data()), Bytes(text),
                      static_cast<int>(text.size())) < 0) {
    return std::nullopt;
  }
  // OpenSSL decodes padding as zero bytes.
  if (text.ends_with('=')) raw.pop_back();
  if (text.ends_with("==")) raw.pop_back();
  // It also takes surrounding blanks and stray bits; writing it anew finds both.
  if (ToBase64(raw) != text) return std::nullopt;
  return raw;
}

}  // namespace pgvalet::auth

#include "auth/secret.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "auth/crypto.h"
#include "auth/scram.h"

namespace pgvalet::auth {
namespace {

constexpr std::string_view kVerifierPrefix = "SCRAM-SHA-256$";

Error BadSecret(const char* what) { return Error{ErrorCode::kInvalidSetting, what}; }

bool LooksLikeMd5(std::string_view text) {
  return text.size() == 35 && text.starts_with("md5") &&
         text.find_first_not_of("0123456789abcdef", 3) == std::string_view::npos;
}

// What stands before `separator`, which is removed with it; nothing when it does not occur.
std::optional<std::string_view> TakeUntil(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return taken;
}

bool ReadKey(std::string_view base64, Key& key) {
  const std::optional<std::string> raw = FromBase64(base64);
  if (!raw || raw->size() != Key::kBytes) return false;
  std::memcpy(key.data(), raw->data(), Key::kBytes);
  return true;
}

}  // namespace

SecretText::SecretText(std::string_view text)
    : bytes_(text.empty() ? nullptr : std::make_unique<char[]>(text.size())), size_(text.size()) {
  std::copy(text.begin(), text.end(), bytes_.get());
}

SecretText::SecretText(SecretText&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

SecretText& SecretText::operator=(SecretText other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(size_, other.size_);
  return *this;
}

SecretText::~SecretText() { OPENSSL_cleanse(bytes_.get(), size_); }

Key::~Key() { OPENSSL_cleanse(bytes_.data(), kBytes); }

bool Key::operator==(const Key& other) const { return SameBytes(view(), other.view()); }

bool ScramVerifier::operator==(const ScramVerifier& other) const {
  return iterations == other.iterations && salt == other.salt && stored_key == other.stored_key &&
         server_key == other.server_key;
}

bool ScramKeys::BelongTo(const ScramVerifier& verifier) const {
  return VerifierOf(*this) == verifier;
}

const char* SecretKindName(SecretKind kind) {
  switch (kind) {
    case SecretKind::kNone:
      return "none";
    case SecretKind::kPlain:
      return "plain";
    case SecretKind::kMd5:
      return "md5";
    case SecretKind::kScram:
      return "scram-sha-256";
  }
  return "unknown";
}

Result<Secret> Secret::Parse(std::string_view text) {
  if (text.empty()) return Secret();
  if (text.size() > kMaxTextBytes) return BadSecret("password is longer than 2048 bytes");
  if (text.find('\0') != std::string_view::npos) return BadSecret("password contains a zero byte");
  if (text.starts_with(kVerifierPrefix)) {
    Result<ScramVerifier> verifier = ParseScramVerifier(text);
    if (!verifier) return verifier.error();
    return Scram(*std::move(verifier));
  }
  if (!LooksLikeMd5(text)) return Plain(text);
  Secret secret;
  secret.value_ = Md5{SecretText(text)};
  return secret;
}

Secret Secret::Plain(std::string_view password) {
  Secret secret;
  secret.value_ = Plaintext{SecretText(password)};
  return secret;
}

Secret Secret::Scram(ScramVerifier verifier) {
  Secret secret;
  secret.value_ = std::move(verifier);
  return secret;
}

std::string_view Secret::plain() const {
  assert(kind() == SecretKind::kPlain);
  return std::get_if<Plaintext>(&value_)->text.view();
}

std::string_view Secret::md5() const {
  assert(kind() == SecretKind::kMd5);
  return std::get_if<Md5>(&value_)->text.view();
}

const ScramVerifier& Secret::scram() const {
  assert(kind() == SecretKind::kScram);
  return *std::get_if<ScramVerifier>(&value_);
}

bool Secret::operator==(const Secret& other) const {
  if (kind() != other.kind()) return false;
  switch (kind()) {
    case SecretKind::kNone:
      return true;
    case SecretKind::kPlain:
      return SameBytes(plain(), other.plain());
    case SecretKind::kMd5:
      return SameBytes(md5(), other.md5());
    case SecretKind::kScram:
      return scram() == other.scram();
  }
  return false;
}

Result<ScramVerifier> ParseScramVerifier(std::string_view text) {
  if (!text.starts_with(kVerifierPrefix)) return BadSecret("not a SCRAM-SHA-256 verifier");
  text.remove_prefix(kVerifierPrefix.size());
  const std::optional<std::string_view> count = TakeUntil(text, ':');
  const std::optional<std::string_view> salt = TakeUntil(text, '$');
  const std::optional<std::string_view> stored_key = TakeUntil(text, ':');
  if (!count || !salt || !stored_key) return BadSecret("SCRAM verifier is cut short");

  ScramVerifier verifier;
  const char* const count_end = count->data() + count->size();
  const auto [end, failed] = std::from_chars(count->data(), count_end, verifier.iterations);
  if (failed != std::errc() || end != count_end || verifier.iterations < 1) {
    return BadSecret("SCRAM verifier has no usable iteration count");
  }
  std::optional<std::string> raw_salt = FromBase64(*salt);
  if (!raw_salt || raw_salt->empty() || raw_salt->size() > kMaxSaltBytes) {
    return BadSecret("SCRAM verifier has no usable salt");
  }
  verifier.salt = *std::move(raw_salt);
  if (!ReadKey(*stored_key, verifier.stored_key) || !ReadKey(text, verifier.server_key)) {
    return BadSecret("SCRAM verifier has a key that is not 32 bytes in base64");
  }
  return verifier;
}

std::string FormatScramVerifier(const ScramVerifier& verifier) {
  return std::string(kVerifierPrefix) + std::to_string(verifier.iterations) + ":" +
         ToBase64(verifier.salt) + "$" + ToBase64(verifier.stored_key.view()) + ":" +
         ToBase64(verifier.server_key.view());
}

}  // namespace pgvalet::auth

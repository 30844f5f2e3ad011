// What pgvalet knows of a user's password, and the wiped memory it lies in.
//
// Made by the user directory, by auth_query and from connection strings; read by
// client_auth (is it really this user?) and server_auth (let us in as this user).
// Everything here is a value: whoever holds a copy owns it, and the bytes are
// overwritten when that copy ends.  Nothing here can be printed, on purpose.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace pgvalet::auth {

// Text that must not stay in freed memory.  A std::string would leave copies behind
// whenever it grows or is moved while short; this one never does either.
class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string_view text);
  SecretText(const SecretText& other) : SecretText(other.view()) {}
  SecretText(SecretText&& other) noexcept;
  SecretText& operator=(SecretText other) noexcept;
  ~SecretText();

  std::string_view view() const { return {bytes_.get(), size_}; }
  bool empty() const { return size_ == 0; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

// A 32 byte key or digest of SHA-256, wiped on destruction.
class Key {
 public:
  static constexpr std::size_t kBytes = 32;

  Key() = default;
  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  ~Key();

  std::uint8_t* data() { return bytes_.data(); }
  const std::uint8_t* data() const { return bytes_.data(); }
  std::string_view view() const { return {reinterpret_cast<const char*>(data()), kBytes}; }

  // Takes the same time wherever the first difference is.
  bool operator==(const Key& other) const;

 private:
  std::array<std::uint8_t, kBytes> bytes_{};
};

// What a server stores of a SCRAM-SHA-256 password (RFC 5803, as in pg_authid.rolpassword):
// enough to check a proof, not enough to make one.
struct ScramVerifier {
  int iterations = 0;
  std::string salt;  // raw bytes
  Key stored_key;
  Key server_key;

  bool operator==(const ScramVerifier& other) const;
};

// What logs in by SCRAM without the password: ClientKey opens every server whose verifier
// has this salt and these iterations.  As precious as the password on those servers.
struct ScramKeys {
  int iterations = 0;
  std::string salt;  // raw bytes
  Key client_key;
  Key server_key;

  // True when a server that stores `verifier` accepts these keys and is known by them.
  bool BelongTo(const ScramVerifier& verifier) const;
};

enum class SecretKind : std::uint8_t { kNone, kPlain, kMd5, kScram };

// "none", "plain", "md5", "scram-sha-256".
const char* SecretKindName(SecretKind kind);

class Secret {
 public:
  // Longest text Parse() takes; PgBouncer's limit for a password is the same.
  static constexpr std::size_t kMaxTextBytes = 2048;

  // kNone: the user exists but no password can be right.
  Secret() = default;

  // Reads the text of a userlist or of pg_authid: empty is kNone, "md5" and 32 lower case hex
  // digits kMd5, "SCRAM-SHA-256$..." kScram, all else the password itself.
  // Error kInvalidSetting (never with the text in it): a verifier that begins like one but
  // cannot be read, text with a NUL, text that is too long.
  static Result<Secret> Parse(std::string_view text);
  static Secret Plain(std::string_view password);
  static Secret Scram(ScramVerifier verifier);

  SecretKind kind() const { return static_cast<SecretKind>(value_.index()); }

  // REQUIRES: kind() == kPlain.
  std::string_view plain() const;
  // The whole "md5..." text.  REQUIRES: kind() == kMd5.
  std::string_view md5() const;
  // REQUIRES: kind() == kScram.
  const ScramVerifier& scram() const;

  // Same kind, same bytes; the time taken does not tell where they differ.
  bool operator==(const Secret& other) const;

 private:
  struct Plaintext {
    SecretText text;
  };
  struct Md5 {
    SecretText text;
  };
  // In the order of SecretKind.
  std::variant<std::monostate, Plaintext, Md5, ScramVerifier> value_;
};

// Reads "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>", salt and keys in base64.
Result<ScramVerifier> ParseScramVerifier(std::string_view text);

// The same text from a verifier: what ALTER ROLE ... PASSWORD accepts.
std::string FormatScramVerifier(const ScramVerifier& verifier);

}  // namespace pgvalet::auth

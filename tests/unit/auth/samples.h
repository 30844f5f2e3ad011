// What real PostgreSQL 15 servers stored, and short ways to say things in the tests of this room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "auth/scram.h"
#include "auth/secret.h"

namespace pgvalet::auth {

// ALTER ROLE bob PASSWORD 'pencil' with password_encryption scram-sha-256.
inline constexpr std::string_view kBobsVerifier =
    "SCRAM-SHA-256$4096:resyFgFBEIiGHEHs3ppxMQ=="
    "$qAVHOwZ2yK+UeMyFBGxbszr/k5WgHN7nKrMsr1o8OQQ=:cZVps0VbnD6kDl6rwED4Qk+S1QhNSsWbuJbhIswXBF4=";
inline constexpr std::string_view kBobsPassword = "pencil";

// ALTER ROLE mia PASSWORD 'old-times' with password_encryption md5.
inline constexpr std::string_view kMiasHash = "md5cd3114e3615479924bd1d73de8622c07";
inline constexpr std::string_view kMiasPassword = "old-times";

inline std::shared_ptr<const Secret> SecretOf(std::string_view text) {
  return std::make_shared<const Secret>(Secret::Parse(text).value());
}

// Few iterations keep tests fast.
inline ScramKeys QuickKeys(std::string_view password, std::string_view salt = "0123456789abcdef") {
  return DeriveScramKeys(password, salt, 2).value();
}

inline std::shared_ptr<const ScramVerifier> QuickVerifier(std::string_view password) {
  return std::make_shared<const ScramVerifier>(VerifierOf(QuickKeys(password)));
}

// A text with a NUL behind it, as strings are in messages.
inline std::string Ended(std::string_view text) { return std::string(text) + '\0'; }

inline std::string Int32(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

inline std::string SaslInitialResponse(std::string_view data,
                                       std::string_view mechanism = "SCRAM-SHA-256") {
  return Ended(mechanism) + Int32(static_cast<std::uint32_t>(data.size())) + std::string(data);
}

}  // namespace pgvalet::auth

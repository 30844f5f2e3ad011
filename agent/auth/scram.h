// SCRAM-SHA-256 (RFC 5802, RFC 7677): names, bounds and the key derivation both sides share.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "auth/secret.h"
#include "base/result.h"

namespace pgvalet::auth {

inline constexpr std::string_view kScramSha256 = "SCRAM-SHA-256";

// What PostgreSQL uses unless told otherwise, and what RFC 7677 asks for at least.
inline constexpr int kScramIterations = 4096;
// Longest SASL message either side may send; PostgreSQL itself stops at 1 KiB and needs 0.2.
inline constexpr std::size_t kMaxSaslMessageBytes = 2048;
inline constexpr std::size_t kMaxNonceBytes = 512;
inline constexpr std::size_t kMaxSaltBytes = 512;
// Most iterations we derive with: a derivation runs on the event loop, 4096 of them cost
// about 1 ms, so the bound keeps the worst stall near a seventh of a second.
inline constexpr int kMaxDerivedIterations = 600'000;

// ClientKey and ServerKey of a password, prepared by SASLprep as PostgreSQL does.
// Error kAuth when `iterations` is outside 1..kMaxDerivedIterations.
Result<ScramKeys> DeriveScramKeys(std::string_view password, std::string_view salt, int iterations);

// What a server stores for these keys.
ScramVerifier VerifierOf(const ScramKeys& keys);

// RFC 4013 as PostgreSQL applies it: pure ASCII, invalid UTF-8 and prohibited text stay as they
// are, byte for byte.
SecretText PreparePassword(std::string_view password);

}  // namespace pgvalet::auth

// PostgreSQL's md5 login: hash(hash(password, user), salt of four bytes).
//
// Kept for old clients and servers.  Every function fails with kAuth where OpenSSL offers no MD5
// (FIPS mode).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/secret.h"
#include "base/result.h"

namespace pgvalet::auth {

using Md5Salt = std::array<char, 4>;

// "md5" and 32 hex digits: what pg_authid keeps for this password.
Result<Secret> Md5SecretOf(std::string_view password, std::string_view user);

// What a client who has `secret` answers to `salt`: "md5" and 32 hex digits.
// Error kAuth when the secret is neither plain nor md5.
Result<SecretText> Md5Response(const Secret& secret, std::string_view user, const Md5Salt& salt);

// A salt for one login.  Error: no randomness.
Result<Md5Salt> NewMd5Salt();

}  // namespace pgvalet::auth

// The little of OpenSSL that logins need, with our types.  Used inside this room only.
//
// SHA-256 and HMAC cannot fail but for want of memory, and then they end the process as `new`
// does; what can fail for other reasons returns Result.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "auth/secret.h"
#include "base/result.h"

namespace pgvalet::auth {

Key Sha256(std::string_view text);
Key HmacSha256(std::string_view key, std::string_view text);
Key Xor(const Key& a, const Key& b);

// The time taken depends on the lengths alone.
bool SameBytes(std::string_view a, std::string_view b);

Result<std::string> RandomBytes(std::size_t count);

std::string ToBase64(std::string_view raw);
// Nothing but what ToBase64() could have written: no spaces, no missing padding, no stray bits.
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace pgvalet::auth

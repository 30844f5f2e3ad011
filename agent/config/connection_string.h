// libpq connection strings: "host=a port=5432" and postgres:// URIs.
//
// PgBouncer's further keys (pool_size, connect_query ...) may stand among them: the
// caller decides which keys it knows.  Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pgvalet::config {

// Keys and values in the order written, quotes and escapes resolved.
using Options = std::vector<std::pair<std::string, std::string>>;

// Begins with postgres:// or postgresql://.
bool IsUri(std::string_view text);

// Either form.  kInvalidSetting when it cannot be read; detail never quotes the text,
// which may hold a password.
Result<Options> ParseConnectionString(std::string_view text);

}  // namespace pgvalet::config

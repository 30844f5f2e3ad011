// The pairs of an entry of PgBouncer's [databases] and [users]: "host=a dbname='my db'".
//
// Not libpq's form: a backslash is an ordinary character, there is no URI.
#pragma once

#include <optional>
#include <string_view>

#include "config/connection_string.h"

namespace pgvalet::config {

// Keys and values in the order written.  Nothing when the text is not of this form.
std::optional<Options> ParsePgBouncerPairs(std::string_view text);

}  // namespace pgvalet::config

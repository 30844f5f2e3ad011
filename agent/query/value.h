// Values of PostgreSQL as messages of pgvalet.v1, and back.  Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pgvalet/v1/query.pb.h"

namespace pgvalet::query {

// A parameter in PostgreSQL's text format; nullopt: NULL.
std::optional<std::string> ToText(const v1::Value& value);

// `text` is a column of this type (OID of pg_type) in text format.  What cannot be read as its
// type becomes text, or bytes where it is not valid UTF-8.
void Fill(std::uint32_t type_oid, std::string_view text, v1::Value& value);

// "int4" for 23; empty for types that PostgreSQL does not have itself, and for rare ones.
std::string_view TypeName(std::uint32_t type_oid);

}  // namespace pgvalet::query

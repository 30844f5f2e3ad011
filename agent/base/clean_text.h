// CleanText: what peers call things, fit to be shown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgvalet {

// `text` as valid UTF-8 of at most `max_bytes`: wrong bytes (a database in SQL_ASCII hands out any,
// clients send any) and control characters become '?'.  protobuf refuses a string that is not
// UTF-8, and with it the whole message.
std::string CleanText(std::string_view text, std::size_t max_bytes = 256);

// `text` with U+FFFD for each byte that does not belong to a character; all else stays.
std::string CleanUtf8(std::string_view text);

// Whether every byte of `text` is part of a valid UTF-8 character.
bool IsUtf8(std::string_view text);

}  // namespace pgvalet

// Text of clients and servers, as messages may hold it: protobuf's strings are UTF-8, and a reader
// refuses the whole message for one byte that is not.
#pragma once

#include <string>
#include <string_view>

namespace pgvalet::api {

// Each byte that does not belong to a character becomes U+FFFD; all else stays.
std::string CleanUtf8(std::string_view text);

}  // namespace pgvalet::api

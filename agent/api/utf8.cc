#include "api/utf8.h"

#include <algorithm>
#include <cstddef>

namespace pgvalet::api {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool IsFollower(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Bytes of the character at the start of `text`; 0: there is none (RFC 3629, section 4).
std::size_t CharacterBytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  const std::string_view followers = text.substr(1, size - 1);
  if (!std::all_of(followers.begin(), followers.end(), IsFollower)) return 0;
  // Written longer than needed, a surrogate, or above U+10FFFF.
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) > 0x9F) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return size;
}

}  // namespace

std::string CleanUtf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = CharacterBytes(text);
    clean += size > 0 ? text.substr(0, size) : kReplacement;
    text.remove_prefix(size > 0 ? size : 1);
  }
  return clean;
}

}  // namespace pgvalet::api

#include "auth/scram_text.h"

#include <algorithm>

#include "auth/scram.h"

namespace pgvalet::auth {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

Error Malformed(const char* what) { return Error{ErrorCode::kProtocol, what, 0, {}, "08P01"}; }

bool IsNonce(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNonceBytes &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

std::optional<std::string_view> ScramReader::Take(char name) {
  if (!more_ || rest_.size() < 2 || rest_[0] != name || rest_[1] != '=') return std::nullopt;
  const std::size_t comma = rest_.find(',');
  more_ = comma != std::string_view::npos;
  const std::string_view value = rest_.substr(2, more_ ? comma - 2 : comma);
  rest_.remove_prefix(more_ ? comma + 1 : rest_.size());
  return value;
}

bool ScramReader::SkipExtensions() {
  while (more_) {
    if (rest_.empty() || !IsLetter(rest_[0]) || !Take(rest_[0])) return false;
  }
  return true;
}

}  // namespace pgvalet::auth

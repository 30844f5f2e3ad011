#include "config/ini_pairs.h"

#include <string>
#include <utility>

namespace pgvalet::config {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\f\v";

void SkipBlanks(std::string_view& text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  text.remove_prefix(begin == std::string_view::npos ? text.size() : begin);
}

std::string TakeUntil(std::string_view& text, std::string_view ends) {
  const std::string taken(text.substr(0, text.find_first_of(ends)));
  text.remove_prefix(taken.size());
  return taken;
}

// Nothing when the closing quote is missing, or something follows it without a blank.
std::optional<std::string> TakeQuoted(std::string_view& text) {
  std::string value;
  for (text.remove_prefix(1); !text.empty(); text.remove_prefix(1)) {
    if (text.front() == '\'') {
      text.remove_prefix(1);
      if (text.empty() || kBlanks.find(text.front()) != std::string_view::npos) return value;
      if (text.front() != '\'') return std::nullopt;
    }
    value += text.front();
  }
  return std::nullopt;
}

}  // namespace

std::optional<Options> ParsePgBouncerPairs(std::string_view text) {
  Options pairs;
  for (SkipBlanks(text); !text.empty(); SkipBlanks(text)) {
    std::string key = TakeUntil(text, " \t\r\n\f\v=");
    SkipBlanks(text);
    if (key.empty() || text.empty() || text.front() != '=') return std::nullopt;
    text.remove_prefix(1);
    SkipBlanks(text);
    if (text.empty() || text.front() != '\'') {
      pairs.emplace_back(std::move(key), TakeUntil(text, kBlanks));
    } else {
      std::optional<std::string> value = TakeQuoted(text);
      if (!value) return std::nullopt;
      pairs.emplace_back(std::move(key), *std::move(value));
    }
  }
  return pairs;
}

}  // namespace pgvalet::config

#include "console/command_text.h"

#include <cctype>
#include <cstddef>
#include <utility>

namespace pgvalet::console {
namespace {

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

bool IsSign(char c) { return c == '=' || c == ',' || c == '(' || c == ')'; }

// Where a comment that begins at `at` ends; `at` itself when none does.
std::size_t SkipComment(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) == "--") {
    const std::size_t end = text.find('\n', at);
    return end == std::string_view::npos ? text.size() : end;
  }
  if (text.substr(at, 2) == "/*") {
    const std::size_t end = text.find("*/", at + 2);
    return end == std::string_view::npos ? text.size() : end + 2;
  }
  return at;
}

// A quoted text that begins at `at`, which moves behind it; a doubled quote is one.
Result<Word> TakeQuoted(std::string_view text, std::size_t& at) {
  const char quote = text[at];
  Word word{{}, true};
  for (++at; at < text.size(); ++at) {
    if (text[at] != quote) {
      word.text += text[at];
    } else if (at + 1 < text.size() && text[at + 1] == quote) {
      word.text += text[++at];
    } else {
      ++at;
      return word;
    }
  }
  return Error{ErrorCode::kProtocol, "a quoted text has no end", 0, word.text, "42601"};
}

Word TakeWord(std::string_view text, std::size_t& at) {
  const std::size_t begin = at;
  if (IsSign(text[at])) return {std::string(text.substr(at++, 1)), false};
  while (at < text.size() && !IsSpace(text[at]) && !IsSign(text[at]) && text[at] != ';' &&
         text[at] != '\'' && text[at] != '"') {
    ++at;
  }
  return {std::string(text.substr(begin, at - begin)), false};
}

}  // namespace

bool Word::Is(std::string_view upper) const {
  if (is_quoted || text.size() != upper.size()) return false;
  for (std::size_t i = 0; i < upper.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(text[i])) != upper[i]) return false;
  }
  return true;
}

Result<std::vector<Words>> SplitCommands(std::string_view text) {
  std::vector<Words> commands;
  Words words;
  std::size_t at = 0;
  while (at < text.size()) {
    if (const std::size_t behind = SkipComment(text, at); behind != at) {
      at = behind;
    } else if (IsSpace(text[at])) {
      ++at;
    } else if (text[at] == ';') {
      ++at;
      if (!words.empty()) commands.push_back(std::exchange(words, {}));
    } else if (text[at] == '\'' || text[at] == '"') {
      Result<Word> word = TakeQuoted(text, at);
      if (!word) return word.error();
      words.push_back(std::move(*word));
    } else {
      words.push_back(TakeWord(text, at));
    }
  }
  if (!words.empty()) commands.push_back(std::move(words));
  return commands;
}

}  // namespace pgvalet::console

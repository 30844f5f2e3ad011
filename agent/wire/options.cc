#include "wire/options.h"

#include <algorithm>

namespace pgvalet::wire {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

std::vector<std::string> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (at < text.size()) {
    while (at < text.size() && IsSpace(text[at])) ++at;
    if (at == text.size()) break;
    std::string word;
    while (at < text.size() && !IsSpace(text[at])) {
      if (text[at] == '\\' && at + 1 < text.size()) ++at;
      word.push_back(text[at++]);
    }
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> ParseOptions(std::string_view options) {
  std::vector<std::pair<std::string, std::string>> settings;
  const std::vector<std::string> words = SplitWords(options);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string assignment;
    if (words[i] == "-c") {
      if (++i == words.size()) return Error{ErrorCode::kProtocol, "-c in options needs name=value"};
      assignment = words[i];
    } else if (words[i].starts_with("-c") || words[i].starts_with("--")) {
      assignment = words[i].substr(2);
    } else {
      return Error{ErrorCode::kProtocol,
                   "only -c name=value and --name=value are accepted in options", 0, words[i]};
    }
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{ErrorCode::kProtocol, "a setting in options needs a name and a value", 0,
                   assignment};
    }
    std::string name = assignment.substr(0, equals);
    std::replace(name.begin(), name.end(), '-', '_');
    settings.emplace_back(std::move(name), assignment.substr(equals + 1));
  }
  return settings;
}

}  // namespace pgvalet::wire

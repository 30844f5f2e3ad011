#include "session/statement_text.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "wire/session_state.h"

namespace pgvalet::session {
namespace {

bool IsSpace(char byte) { return std::isspace(static_cast<unsigned char>(byte)) != 0; }

bool IsInWord(char byte) {
  return std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '_';
}

char Lower(char byte) { return static_cast<char>(std::tolower(static_cast<unsigned char>(byte))); }

bool SameInAnyCase(char a, char lower) { return Lower(a) == lower; }

void SkipSpace(std::string_view& sql) {
  while (!sql.empty() && (IsSpace(sql[0]) || sql[0] == ';')) sql.remove_prefix(1);
}

// The word or quoted name that `sql` begins with, taken off it.
std::string_view TakeWord(std::string_view& sql) {
  SkipSpace(sql);
  std::size_t length = 0;
  if (!sql.empty() && sql[0] == '"') {
    length = sql.find('"', 1);
    if (length == std::string_view::npos) return {};
    ++length;
  } else {
    while (length < sql.size() && !IsSpace(sql[length]) && sql[length] != ';') ++length;
  }
  const std::string_view taken = sql.substr(0, length);
  sql.remove_prefix(length);
  return taken;
}

// now() is evaluated when the statement runs.
bool IsCalled(std::string_view behind) {
  const auto next = std::find_if_not(behind.begin(), behind.end(), IsSpace);
  return next != behind.end() && *next == '(';
}

// Where `word` ends in `text`, from `at` on; npos: it is not there.
std::size_t FindWord(std::string_view text, std::string_view word, std::size_t at) {
  while (at < text.size()) {
    const auto found = std::search(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(),
                                   word.begin(), word.end(), SameInAnyCase);
    if (found == text.end()) break;
    const auto begin = static_cast<std::size_t>(found - text.begin());
    const std::size_t end = begin + word.size();
    const bool begins = begin == 0 || !IsInWord(text[begin - 1]);
    if (begins && (end == text.size() || !IsInWord(text[end]))) return end;
    at = begin + 1;
  }
  return std::string_view::npos;
}

}  // namespace

std::string DeallocatedName(std::string_view sql) {
  if (wire::LowerCase(TakeWord(sql)) != "deallocate") return {};
  std::string_view name = TakeWord(sql);
  if (wire::LowerCase(name) == "prepare") name = TakeWord(sql);
  if (name.empty() || !TakeWord(sql).empty()) return {};
  if (name[0] == '"') return std::string(name.substr(1, name.size() - 2));
  return wire::LowerCase(name);
}

bool ControlsTransaction(std::string_view sql) {
  constexpr std::array<std::string_view, 8> kWords = {"begin",    "start", "commit",    "end",
                                                      "rollback", "abort", "savepoint", "release"};
  SkipSpace(sql);
  return std::any_of(kWords.begin(), kWords.end(), [sql](std::string_view word) {
    return sql.size() >= word.size() && Lower(sql[0]) == word[0] &&
           std::equal(word.begin(), word.end(), sql.begin(),
                      [](char lower, char byte) { return SameInAnyCase(byte, lower); }) &&
           (sql.size() == word.size() || !IsInWord(sql[word.size()]));
  });
}

bool NamesMoment(std::string_view sql) {
  constexpr std::array<std::string_view, 4> kMoments = {"now", "today", "tomorrow", "yesterday"};
  return std::any_of(kMoments.begin(), kMoments.end(), [sql](std::string_view moment) {
    for (std::size_t at = 0; (at = FindWord(sql, moment, at)) != std::string_view::npos;) {
      if (!IsCalled(sql.substr(at))) return true;
    }
    return false;
  });
}

bool ContainsWord(std::string_view text, std::string_view word) {
  return FindWord(text, word, 0) != std::string_view::npos;
}

}  // namespace pgvalet::session

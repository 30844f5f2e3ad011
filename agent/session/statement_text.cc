#include "session/statement_text.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "wire/session_state.h"

namespace pgvalet::session {
namespace {

bool IsSpace(char byte) { return std::isspace(static_cast<unsigned char>(byte)) != 0; }

bool IsInWord(char byte) {
  const auto lower = static_cast<unsigned char>(byte | 0x20);
  return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' ||
         static_cast<unsigned char>(byte) >= 0x80;
}

// `lower` is a letter in lower case, or an underscore.
bool SameInAnyCase(char byte, char lower) {
  return byte == lower || (lower != '_' && (byte ^ 0x20) == lower);
}

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

// now() is evaluated when the statement runs; 'now()' is a constant.
bool IsCalled(std::string_view text, std::size_t begin, std::size_t end) {
  const auto next =
      std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(end), text.end(), IsSpace);
  if (next == text.end() || *next != '(') return false;
  while (begin > 0 && IsSpace(text[begin - 1])) --begin;
  return begin == 0 || (text[begin - 1] != '\'' && text[begin - 1] != '$');
}

bool IsWordAt(std::string_view text, std::size_t at, std::string_view word) {
  if (text.size() - at < word.size()) return false;
  const std::size_t end = at + word.size();
  return std::equal(word.begin(), word.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char lower, char byte) { return SameInAnyCase(byte, lower); }) &&
         (end == text.size() || !IsInWord(text[end]));
}

// Calls `is_it` with every place where a word may begin, until it says yes.
template <typename Predicate>
bool AnyWordStart(std::string_view text, Predicate is_it) {
  bool in_word = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool was_in_word = in_word;
    in_word = IsInWord(text[at]);
    if (in_word && !was_in_word && is_it(at)) return true;
  }
  return false;
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
  const auto word = std::find_if(kWords.begin(), kWords.end(),
                                 [sql](std::string_view one) { return IsWordAt(sql, 0, one); });
  if (word == kWords.end()) return false;
  sql.remove_prefix(word->size());
  SkipSpace(sql);
  return !IsWordAt(sql, 0, "prepared");  // a transaction that has done who knows what
}

bool MayDropStatements(std::string_view sql) {
  SkipSpace(sql);
  return IsWordAt(sql, 0, "deallocate") || IsWordAt(sql, 0, "discard");
}

bool HasDropOfStatements(std::string_view sql) {
  return AnyWordStart(sql, [sql](std::size_t at) {
    return (sql[at] | 0x20) == 'd' &&
           (IsWordAt(sql, at, "deallocate") || IsWordAt(sql, at, "discard"));
  });
}

bool NamesMoment(std::string_view sql) {
  static constexpr std::array<std::string_view, 4> kMoments = {"now", "today", "tomorrow",
                                                               "yesterday"};
  return AnyWordStart(sql, [sql](std::size_t at) {
    return std::any_of(kMoments.begin(), kMoments.end(), [&](std::string_view moment) {
      return SameInAnyCase(sql[at], moment[0]) && IsWordAt(sql, at, moment) &&
             !IsCalled(sql, at, at + moment.size());
    });
  });
}

bool ContainsWord(std::string_view text, std::string_view word) {
  return AnyWordStart(text, [&](std::size_t at) { return IsWordAt(text, at, word); });
}

}  // namespace pgvalet::session

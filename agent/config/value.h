// One value of a setting: what a user wrote, what it means, and back to text.
//
// A Rule says what a setting may be; ReadValue() turns what stood in a TOML file, a
// variable or a command line into a Value by that rule.  Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace pgvalet::config {

// A value as written.  Variables and command lines only give text; TOML gives all.
using Written = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

// A value as understood.  Which member it holds follows from the Rule's kind.
using Value = std::variant<bool, std::int64_t, Duration, std::string, std::vector<std::string>>;

enum class Kind : std::uint8_t {
  kBoolean,   // bool
  kInteger,   // std::int64_t
  kSize,      // std::int64_t, bytes
  kShare,     // std::int64_t, thousandths; written as 0 to 1
  kFileMode,  // std::int64_t, permission bits, written in octal
  kDuration,  // Duration
  kText,      // std::string
  kWord,      // std::string, one of Rule::words
  kAddress,   // std::string, host:port, unix:/path or empty
  kList,      // std::vector<std::string>
};

struct Rule {
  Kind kind;
  std::int64_t min = 0;  // kInteger; kSize: bytes; kDuration: microseconds
  std::int64_t max = 0;
  std::vector<std::string_view> words{};  // kWord
};

// What a value must be, as the documentation and every mistake say it, such as
// "whole number, 1 to 65535".
std::string Expected(const Rule& rule);

// The unit of a number: "seconds", "bytes", or empty.
std::string_view UnitName(const Rule& rule);

// kInvalidSetting when the rule is broken; detail says what was expected, and what was
// found unless `secret`.
Result<Value> ReadValue(const Rule& rule, const Written& written, bool secret);

// Text that ReadValue() reads back as the same value, unquoted: "0.5", "true", "a,b".
std::string ValueText(const Rule& rule, const Value& value);

// The same as TOML: text in quotes, lists in brackets.
std::string ValueToml(const Rule& rule, const Value& value);

// Text as a TOML string with its quotes.
std::string TomlQuoted(std::string_view text);

// Items of a comma list without the blanks around them; an empty text is an empty list.
std::vector<std::string> SplitList(std::string_view text);

// `text` without blanks at both ends.
std::string_view Trimmed(std::string_view text);

}  // namespace pgvalet::config

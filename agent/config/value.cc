#include "config/value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/un.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace pgvalet::config {
namespace {

struct UnitOf {
  std::string_view name;
  double factor;
};

// Microseconds.
constexpr std::array<UnitOf, 6> kTimeUnits{
    {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"min", 60e6}, {"h", 3600e6}, {"d", 86400e6}}};
// Bytes; steps of 1024 as PostgreSQL has them.
constexpr std::array<UnitOf, 4> kSizeUnits{
    {{"b", 1}, {"kb", 1024}, {"mb", 1048576}, {"gb", 1073741824}}};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// All of `text` as a number, else nothing.
template <typename Number>
std::optional<Number> AsNumber(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "1.5h" by a table of units; a number without a unit counts in `plain_factor`.
std::optional<double> AsQuantity(std::string_view text, const UnitOf* units, std::size_t count,
                                 double plain_factor) {
  const std::size_t number_end = text.find_first_not_of("0123456789.");
  const std::string_view digits = text.substr(0, number_end);
  const std::optional<double> number = AsNumber<double>(digits);
  if (!number) return std::nullopt;
  if (number_end == std::string_view::npos) return *number * plain_factor;
  const std::string unit = Lower(Trimmed(text.substr(number_end)));
  for (std::size_t i = 0; i < count; ++i) {
    if (units[i].name == unit) return *number * units[i].factor;
  }
  return std::nullopt;
}

std::optional<Value> ReadBoolean(const Written& written) {
  if (const bool* flag = std::get_if<bool>(&written)) return Value(*flag);
  std::string word;
  if (const std::int64_t* number = std::get_if<std::int64_t>(&written)) {
    word = std::to_string(*number);
  } else if (const std::string* text = std::get_if<std::string>(&written)) {
    word = Lower(Trimmed(*text));
  }
  for (const std::string_view yes : {"true", "1", "on", "yes"}) {
    if (word == yes) return Value(true);
  }
  for (const std::string_view no : {"false", "0", "off", "no"}) {
    if (word == no) return Value(false);
  }
  return std::nullopt;
}

std::optional<Value> InBounds(const Rule& rule, double number) {
  // Both bounds are far below 2^53, where a double is still exact.
  if (!(number >= static_cast<double>(rule.min) && number <= static_cast<double>(rule.max))) {
    return std::nullopt;
  }
  const auto whole = static_cast<std::int64_t>(std::llround(number));
  if (rule.kind == Kind::kDuration) return Value(Duration(whole));
  return Value(whole);
}

std::optional<Value> ReadInteger(const Rule& rule, const Written& written) {
  std::optional<std::int64_t> number;
  if (const std::int64_t* direct = std::get_if<std::int64_t>(&written)) number = *direct;
  if (const std::string* text = std::get_if<std::string>(&written)) {
    number = AsNumber<std::int64_t>(Trimmed(*text));
  }
  if (!number || *number < rule.min || *number > rule.max) return std::nullopt;
  return Value(*number);
}

std::optional<Value> ReadQuantity(const Rule& rule, const Written& written) {
  const bool time = rule.kind == Kind::kDuration;
  const double plain_factor = time ? 1e6 : 1;
  std::optional<double> number;
  if (const std::int64_t* whole = std::get_if<std::int64_t>(&written)) {
    number = static_cast<double>(*whole) * plain_factor;
  } else if (const double* fraction = std::get_if<double>(&written); fraction && time) {
    number = *fraction * plain_factor;
  } else if (const std::string* text = std::get_if<std::string>(&written)) {
    const std::string_view trimmed = Trimmed(*text);
    number = time ? AsQuantity(trimmed, kTimeUnits.data(), kTimeUnits.size(), plain_factor)
                  : AsQuantity(trimmed, kSizeUnits.data(), kSizeUnits.size(), plain_factor);
  }
  if (!number) return std::nullopt;
  return InBounds(rule, *number);
}

// "0.8" is 800 thousandths.
std::optional<Value> ReadShare(const Written& written) {
  std::optional<double> share;
  if (const std::int64_t* whole = std::get_if<std::int64_t>(&written)) {
    share = static_cast<double>(*whole);
  } else if (const double* fraction = std::get_if<double>(&written)) {
    share = *fraction;
  } else if (const std::string* text = std::get_if<std::string>(&written)) {
    share = AsNumber<double>(Trimmed(*text));
  }
  if (!share || !(*share >= 0 && *share <= 1)) return std::nullopt;
  return Value(static_cast<std::int64_t>(std::llround(*share * 1000)));
}

// Octal in text, as PgBouncer has it; a TOML number is taken as it is (0o770).
std::optional<Value> ReadFileMode(const Rule& rule, const Written& written) {
  if (const std::int64_t* number = std::get_if<std::int64_t>(&written)) {
    return InBounds(rule, static_cast<double>(*number));
  }
  const std::string* text = std::get_if<std::string>(&written);
  if (text == nullptr) return std::nullopt;
  const std::string_view digits = Trimmed(*text);
  std::int64_t mode = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), mode, 8);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return InBounds(rule, static_cast<double>(mode));
}

std::optional<Value> ReadWord(const Rule& rule, const Written& written) {
  const std::string* text = std::get_if<std::string>(&written);
  if (text == nullptr) return std::nullopt;
  const std::string word = Lower(Trimmed(*text));
  for (const std::string_view allowed : rule.words) {
    if (word == allowed) return Value(word);
  }
  return std::nullopt;
}

std::optional<Value> ReadAddress(const Written& written) {
  const std::string* text = std::get_if<std::string>(&written);
  if (text == nullptr) return std::nullopt;
  const std::string address(Trimmed(*text));
  if (address.empty() || Lower(address) == "off") return Value(std::string());
  constexpr std::string_view kUnixPrefix = "unix:";
  if (address.starts_with(kUnixPrefix)) {
    // As long as the operating system takes it, with its closing zero.
    const std::size_t path_bytes = address.size() - kUnixPrefix.size();
    if (path_bytes < 2 || path_bytes >= sizeof(sockaddr_un::sun_path)) return std::nullopt;
    return address[kUnixPrefix.size()] == '/' ? std::optional(Value(address)) : std::nullopt;
  }
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  const bool bracketed = address.front() == '[' && address[colon - 1] == ']';
  if (!bracketed && address.find(':') != colon) return std::nullopt;  // bare IPv6
  const auto port = AsNumber<std::int64_t>(std::string_view(address).substr(colon + 1));
  if (!port || *port < 1 || *port > 65535) return std::nullopt;
  return Value(address);
}

std::optional<Value> ReadText(const Written& written) {
  const std::string* text = std::get_if<std::string>(&written);
  if (text == nullptr || text->find('\0') != std::string::npos) return std::nullopt;
  return Value(*text);
}

std::optional<Value> ReadList(const Written& written) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&written)) return Value(*list);
  const std::string* text = std::get_if<std::string>(&written);
  if (text == nullptr || text->find('\0') != std::string::npos) return std::nullopt;
  return Value(SplitList(*text));
}

std::optional<Value> Read(const Rule& rule, const Written& written) {
  switch (rule.kind) {
    case Kind::kBoolean:
      return ReadBoolean(written);
    case Kind::kInteger:
      return ReadInteger(rule, written);
    case Kind::kSize:
    case Kind::kDuration:
      return ReadQuantity(rule, written);
    case Kind::kShare:
      return ReadShare(written);
    case Kind::kFileMode:
      return ReadFileMode(rule, written);
    case Kind::kText:
      return ReadText(written);
    case Kind::kWord:
      return ReadWord(rule, written);
    case Kind::kAddress:
      return ReadAddress(written);
    case Kind::kList:
      return ReadList(written);
  }
  return std::nullopt;
}

std::string Found(const Written& written) {
  if (const bool* flag = std::get_if<bool>(&written)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&written)) return std::to_string(*number);
  if (const double* number = std::get_if<double>(&written)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&written)) {
    constexpr std::size_t kShown = 60;
    return TomlQuoted(text->substr(0, kShown)) + (text->size() > kShown ? "..." : "");
  }
  return "a list";
}

// Seconds without an exponent and without needless zeros: "15", "0.5", "0.000001".
std::string SecondsText(std::int64_t microseconds) {
  std::string text = fmt::format("{}.{:06}", microseconds / 1000000, microseconds % 1000000);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

std::string Expected(const Rule& rule) {
  switch (rule.kind) {
    case Kind::kBoolean:
      return "true or false";
    case Kind::kInteger:
      return fmt::format("whole number, {} to {}", rule.min, rule.max);
    case Kind::kSize:
      return fmt::format("bytes or text such as \"16MB\", {} to {}", rule.min, rule.max);
    case Kind::kShare:
      return "share, 0 to 1";
    case Kind::kFileMode:
      return "octal digits in quotes, \"0000\" to \"0777\"";
    case Kind::kDuration:
      return fmt::format("seconds or text such as \"500ms\", \"2s\", \"5min\", {} to {}",
                         SecondsText(rule.min), SecondsText(rule.max));
    case Kind::kText:
      return "text";
    case Kind::kWord:
      return fmt::format("one of {}", fmt::join(rule.words, ", "));
    case Kind::kAddress:
      return "host:port, unix:/path or \"off\"";
    case Kind::kList:
      return "list, or text with commas";
  }
  return "";
}

std::string_view UnitName(const Rule& rule) {
  if (rule.kind == Kind::kDuration) return "seconds";
  if (rule.kind == Kind::kSize) return "bytes";
  return "";
}

Result<Value> ReadValue(const Rule& rule, const Written& written, bool secret) {
  std::optional<Value> value = Read(rule, written);
  if (value) return *std::move(value);
  std::string detail = "expected " + Expected(rule);
  if (!secret) detail += ", not " + Found(written);
  return Error{ErrorCode::kInvalidSetting, "a setting is wrong", 0, std::move(detail)};
}

std::string ValueText(const Rule& rule, const Value& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (rule.kind == Kind::kShare) return fmt::format("{}", static_cast<double>(*number) / 1000);
    return rule.kind == Kind::kFileMode ? fmt::format("{:04o}", *number) : std::to_string(*number);
  }
  if (const auto* time = std::get_if<Duration>(&value)) return SecondsText(time->count());
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    return fmt::format("{}", fmt::join(*list, ","));
  }
  return std::get<std::string>(value);
}

std::string ValueToml(const Rule& rule, const Value& value) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    std::vector<std::string> quoted;
    for (const std::string& item : *list) quoted.push_back(TomlQuoted(item));
    return fmt::format("[{}]", fmt::join(quoted, ", "));
  }
  const bool text = std::holds_alternative<std::string>(value) || rule.kind == Kind::kFileMode;
  return text ? TomlQuoted(ValueText(rule, value)) : ValueText(rule, value);
}

std::string TomlQuoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted += fmt::format("\\u{:04x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> items;
  while (!Trimmed(text).empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = Trimmed(text.substr(0, comma));
    if (!item.empty()) items.emplace_back(item);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return items;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace pgvalet::config

#include "config/connection_string.h"

#include <libpq-fe.h>

#include <cctype>
#include <memory>
#include <optional>

#include "config/value.h"

namespace pgvalet::config {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using LibpqOptions = std::unique_ptr<PQconninfoOption, FreeOptions>;

Error Unreadable(std::string detail) {
  return Error{ErrorCode::kInvalidSetting, "a connection string is wrong", 0, std::move(detail)};
}

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Walks over "key = value" pairs.  Values with blanks stand in single quotes; inside
// and outside of quotes a backslash takes the next character as it is (libpq), and two
// single quotes inside quotes are one (PgBouncer).
class PairReader {
 public:
  explicit PairReader(std::string_view text) : text_(text) {}

  Result<Options> ReadAll() {
    Options options;
    for (SkipBlanks(); !AtEnd(); SkipBlanks()) {
      const std::size_t key_begin = at_;
      while (!AtEnd() && Peek() != '=' && !IsBlank(Peek())) ++at_;
      std::string key(text_.substr(key_begin, at_ - key_begin));
      SkipBlanks();
      if (key.empty() || AtEnd() || Peek() != '=') return Malformed(key_begin);
      ++at_;
      SkipBlanks();
      std::optional<std::string> value = ReadOneValue();
      if (!value) return Malformed(key_begin);
      options.emplace_back(std::move(key), *std::move(value));
    }
    return options;
  }

 private:
  bool AtEnd() const { return at_ >= text_.size(); }
  char Peek() const { return text_[at_]; }
  void SkipBlanks() {
    while (!AtEnd() && IsBlank(Peek())) ++at_;
  }

  std::optional<std::string> ReadOneValue() {
    std::string value;
    if (AtEnd() || Peek() != '\'') {
      while (!AtEnd() && !IsBlank(Peek())) value += NextCharacter();
      return value;
    }
    ++at_;
    while (!AtEnd()) {
      if (Peek() == '\'') {
        ++at_;
        if (AtEnd() || Peek() != '\'') return value;
      }
      value += NextCharacter();
    }
    return std::nullopt;  // the closing quote is missing
  }

  char NextCharacter() {
    if (Peek() == '\\' && at_ + 1 < text_.size()) ++at_;
    return text_[at_++];
  }

  static Error Malformed(std::size_t position) {
    return Unreadable(
        "expected key=value pairs (a value with blanks in single quotes), wrong at "
        "character " +
        std::to_string(position + 1));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

LibpqOptions ParseWithLibpq(const std::string& text, std::string* error) {
  char* message = nullptr;
  LibpqOptions options(PQconninfoParse(text.c_str(), &message));
  if (message != nullptr) {
    *error = message;
    PQfreemem(message);
  }
  return options;
}

// Whether libpq has this key; "ssl" is one that only its URIs have.
bool IsLibpqKey(std::string_view key) {
  std::string ignored;
  const LibpqOptions all = ParseWithLibpq("", &ignored);
  for (const PQconninfoOption* option = all.get(); option && option->keyword; ++option) {
    if (key == option->keyword) return true;
  }
  return key == "ssl";
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexDigit(text[i + 1]);
    const int low = HexDigit(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

// Moves parameters that libpq would refuse from the query of `uri` to `options`.
// Returns the URI that is left, or nothing when one of them cannot be decoded.
std::optional<std::string> TakeOwnParameters(std::string_view uri, Options* options) {
  const std::size_t question = uri.find('?');
  if (question == std::string_view::npos) return std::string(uri);
  std::string rest(uri.substr(0, question));
  char separator = '?';
  std::string_view query = uri.substr(question + 1);
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view item = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    const std::size_t equals = item.find('=');
    const std::string_view key = item.substr(0, equals);
    if (equals == std::string_view::npos || IsLibpqKey(key)) {
      rest.append(1, separator).append(item);
      separator = '&';
      continue;
    }
    std::optional<std::string> value = PercentDecoded(item.substr(equals + 1));
    if (!value) return std::nullopt;
    options->emplace_back(key, *std::move(value));
  }
  return rest;
}

// libpq's sentence up to what it quotes, which may be the whole URI.
std::string WithoutQuotedText(std::string message) {
  message.resize(std::min(message.find('"'), message.size()));
  message = Trimmed(message);
  while (!message.empty() && message.back() == ':') message.pop_back();
  return message;
}

Result<Options> ParseUri(std::string_view uri) {
  constexpr std::string_view kForm =
      "expected postgres://user:password@host:port/database?key=value with @ : / # % in user and "
      "password written as %40 %3A %2F %23 %25";
  Options own;
  const std::optional<std::string> rest = TakeOwnParameters(uri, &own);
  if (!rest) return Unreadable(std::string(kForm));
  std::string message;
  const LibpqOptions parsed = ParseWithLibpq(*rest, &message);
  if (!parsed) {
    return Unreadable(std::string(kForm) + " (libpq says: " + WithoutQuotedText(message) + ")");
  }
  Options options;
  for (const PQconninfoOption* option = parsed.get(); option->keyword; ++option) {
    if (option->val != nullptr) options.emplace_back(option->keyword, option->val);
  }
  options.insert(options.end(), own.begin(), own.end());
  return options;
}

}  // namespace

bool IsUri(std::string_view text) {
  return text.starts_with("postgres://") || text.starts_with("postgresql://");
}

Result<Options> ParseConnectionString(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return Unreadable("expected text without NUL");
  return IsUri(text) ? ParseUri(text) : PairReader(text).ReadAll();
}

}  // namespace pgvalet::config

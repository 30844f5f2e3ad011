// The form in which extension and agent tell each other about a session: items of a letter and
// fields, each field its length in decimal digits, a colon and its bytes.  See
// docs/decisions/0200-session-report.md.
#pragma once

#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace pgvalet::wire {

namespace item {
// Of a state.
inline constexpr char kStartupSetting = 'c';
inline constexpr char kSessionSetting = 's';
inline constexpr char kLibrary = 'b';
inline constexpr char kStatement = 'P';
// Of a report.
inline constexpr char kVersion = 'v';
inline constexpr char kState = 'm';
inline constexpr char kPin = 'p';
inline constexpr char kChannel = 'l';
inline constexpr char kUnlistened = 'x';
inline constexpr char kSequences = 'q';
inline constexpr char kSequencesUsed = 'u';
inline constexpr char kStatementsGone = 'd';
inline constexpr char kNotified = 'n';
inline constexpr char kOutdated = 'o';
inline constexpr char kRelations = 't';
// Of a sequence state.
inline constexpr char kLastval = 'L';
inline constexpr char kCurrval = 'Q';
// Of an open transaction.
inline constexpr char kOpenSetting = 's';
inline constexpr char kOpenObjects = 'k';
}  // namespace item

inline void AppendItem(std::string& out, char letter,
                       std::initializer_list<std::string_view> fields) {
  out.push_back(letter);
  for (std::string_view field : fields) {
    out.append(std::to_string(field.size())).push_back(':');
    out.append(field);
  }
}

// Takes items in order.  Fails softly, as BodyReader does: ask ok() once for each item.
class ItemReader {
 public:
  explicit ItemReader(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

  char TakeLetter() {
    if (rest_.empty()) {
      Fail();
      return '\0';
    }
    const char letter = rest_.front();
    rest_.remove_prefix(1);
    return letter;
  }

  std::string_view TakeField() {
    std::size_t length = 0;
    const char* end = rest_.data() + rest_.size();
    const auto [at, error] = std::from_chars(rest_.data(), end, length);
    if (error != std::errc() || at == end || *at != ':') return Fail();
    rest_.remove_prefix(static_cast<std::size_t>(at - rest_.data()) + 1);
    if (length > rest_.size()) return Fail();
    const std::string_view field = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return field;
  }

  // A field that is a number; 0 when it is not.
  std::uint64_t TakeNumber() {
    const std::string_view digits = TakeField();
    std::uint64_t number = 0;
    const auto [at, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || at != digits.data() + digits.size()) Fail();
    return ok_ ? number : 0;
  }

 private:
  std::string_view Fail() {
    ok_ = false;
    rest_ = {};
    return {};
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace pgvalet::wire

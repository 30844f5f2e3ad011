#include "cli/screen/text.h"

#include <locale.h>
#include <wchar.h>
#include <wctype.h>

#include <cstring>

namespace pgvalet::cli {
namespace {

// wcwidth() knows characters only in a UTF-8 locale; the user's may be another.
class Utf8Locale {
 public:
  Utf8Locale() {
    static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (utf8 != nullptr) before_ = uselocale(utf8);
  }
  ~Utf8Locale() {
    if (before_ != nullptr) uselocale(before_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t before_ = nullptr;
};

struct Character {
  std::string_view bytes;
  int width = 1;
  bool printable = false;
};

// Takes the first character off `text`.  REQUIRES: not empty; a Utf8Locale is in force.
Character TakeCharacter(std::string_view* text) {
  Character character;
  wchar_t wide = 0;
  mbstate_t state;
  std::memset(&state, 0, sizeof state);
  std::size_t length = mbrtowc(&wide, text->data(), text->size(), &state);
  if (length > 0 && length <= text->size()) {
    const int width = wcwidth(wide);
    if (width >= 0) {
      character.width = width;
      character.printable = true;
    }
  } else {
    length = 1;  // a zero byte, wrong or cut short
  }
  character.bytes = text->substr(0, length);
  text->remove_prefix(length);
  return character;
}

std::string Spaces(int count) { return std::string(static_cast<std::size_t>(count), ' '); }

}  // namespace

int DisplayWidth(std::string_view text) {
  const Utf8Locale locale;
  int width = 0;
  while (!text.empty()) width += TakeCharacter(&text).width;
  return width;
}

std::string Printable(std::string_view text) {
  const Utf8Locale locale;
  std::string clean;
  while (!text.empty()) {
    const Character character = TakeCharacter(&text);
    clean += character.printable ? character.bytes : std::string_view("?");
  }
  return clean;
}

std::string Cut(std::string_view text, int width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width <= 0) return "";
  const Utf8Locale locale;
  std::string cut;
  int used = 0;
  while (!text.empty()) {
    const Character character = TakeCharacter(&text);
    if (used + character.width > width - 1) break;
    cut += character.bytes;
    used += character.width;
  }
  return cut + "…";
}

std::string Pad(std::string_view text, int width, Align align) {
  std::string cut = Cut(text, width);
  const int missing = width - DisplayWidth(cut);
  if (missing <= 0) return cut;
  return align == Align::kLeft ? cut + Spaces(missing) : Spaces(missing) + cut;
}

}  // namespace pgvalet::cli

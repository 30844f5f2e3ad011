// What an administrator typed, taken apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pgvalet::console {

// A word, a number, a quoted text or a sign ("=", ",").
struct Word {
  std::string text;
  bool is_quoted = false;

  // Is it this keyword?  `upper` in capitals.
  bool Is(std::string_view upper) const;
};

// One command; without its semicolon.
using Words = std::vector<Word>;

// The commands of a text, empty ones left out.  kProtocol: a quote has no end.  Names keep their
// case: databases and users are compared exactly.  `--` and `/* */` are comments, which tools put
// in front of what they send.
Result<std::vector<Words>> SplitCommands(std::string_view text);

}  // namespace pgvalet::console

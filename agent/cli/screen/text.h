// Text: UTF-8 as a terminal shows it.
//
// Widths are columns: a Chinese character takes two, a combining accent none.  The
// result does not depend on the locale of the process.
#pragma once

#include <string>
#include <string_view>

namespace pgvalet::cli {

// Columns that `text` takes; control characters and wrong bytes count as one.
int DisplayWidth(std::string_view text);

// `text` with control characters and wrong bytes as '?': names come from others and
// must not drive the terminal.
std::string Printable(std::string_view text);

// `text` cut to at most `width` columns, with an ellipsis where something is missing.
std::string Cut(std::string_view text, int width);

enum class Align { kLeft, kRight };

// `text` cut or filled up to exactly `width` columns.
std::string Pad(std::string_view text, int width, Align align = Align::kLeft);

}  // namespace pgvalet::cli

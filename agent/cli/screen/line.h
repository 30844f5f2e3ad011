// Line: one line of output as pieces of text with a style each.
//
// What is drawn is made as Lines by pure functions; only the last step (ANSI to a
// pipe or file, ncurses to a terminal) knows what a style looks like.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pgvalet::cli {

enum class Style : std::uint8_t { kPlain, kDim, kBold, kHeader, kGood, kWarning, kBad, kSelected };

struct Span {
  std::string text;
  Style style = Style::kPlain;
  bool operator==(const Span&) const = default;
};

class Line {
 public:
  Line() = default;
  Line(std::string text, Style style = Style::kPlain) {  // NOLINT: implicit on purpose
    Add(std::move(text), style);
  }

  Line& Add(std::string text, Style style = Style::kPlain);
  Line& Add(const Line& other);

  const std::vector<Span>& spans() const { return spans_; }
  int width() const;          // columns on a terminal
  std::string plain() const;  // without styles and without space at the end

  // Cut after `width` columns, or filled up with spaces to it.
  Line Fitted(int width) const;
  // Every span in `style`.
  Line Styled(Style style) const;

 private:
  std::vector<Span> spans_;
};

using Lines = std::vector<Line>;

// All lines, each ended by a line feed; with escape sequences when `colour`.
std::string Render(const Lines& lines, bool colour);

}  // namespace pgvalet::cli

#include "cli/screen/line.h"

#include <utility>

#include "cli/screen/text.h"

namespace pgvalet::cli {
namespace {

const char* AnsiStart(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kDim:
      return "\x1b[2m";
    case Style::kBold:
      return "\x1b[1m";
    case Style::kHeader:
      return "\x1b[1;4m";
    case Style::kGood:
      return "\x1b[32m";
    case Style::kWarning:
      return "\x1b[33m";
    case Style::kBad:
      return "\x1b[1;31m";
    case Style::kSelected:
      return "\x1b[7m";
  }
  return "";
}

}  // namespace

Line& Line::Add(std::string text, Style style) {
  if (!text.empty()) spans_.push_back({std::move(text), style});
  return *this;
}

Line& Line::Add(const Line& other) {
  spans_.insert(spans_.end(), other.spans_.begin(), other.spans_.end());
  return *this;
}

int Line::width() const {
  int width = 0;
  for (const Span& span : spans_) width += DisplayWidth(span.text);
  return width;
}

std::string Line::plain() const {
  std::string text;
  for (const Span& span : spans_) text += span.text;
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

Line Line::Fitted(int width) const {
  Line fitted;
  int left = width;
  for (const Span& span : spans_) {
    const int needed = DisplayWidth(span.text);
    if (needed > left) {
      fitted.Add(Cut(span.text, left), span.style);
      left = 0;
      break;
    }
    fitted.Add(span.text, span.style);
    left -= needed;
  }
  return fitted.Add(std::string(static_cast<std::size_t>(left), ' '));
}

Line Line::Styled(Style style) const {
  Line styled;
  for (const Span& span : spans_) styled.Add(span.text, style);
  return styled;
}

std::string Render(const Lines& lines, bool colour) {
  std::string text;
  for (const Line& line : lines) {
    if (!colour) {
      text += line.plain() + "\n";
      continue;
    }
    for (const Span& span : line.spans()) {
      const std::string start = AnsiStart(span.style);
      text += start + span.text + (start.empty() ? "" : "\x1b[0m");
    }
    text += "\n";
  }
  return text;
}

}  // namespace pgvalet::cli

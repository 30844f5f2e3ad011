#include "cli/screen/table.h"

#include <algorithm>
#include <cassert>
#include <climits>
#include <utility>

namespace pgvalet::cli {
namespace {

std::string Spaces(int count) { return std::string(static_cast<std::size_t>(count), ' '); }

}  // namespace

void Table::Add(std::vector<Cell> row) {
  assert(row.size() == columns_.size());
  for (Cell& cell : row) cell.text = Printable(cell.text);
  rows_.push_back(std::move(row));
}

std::size_t Table::header_height() const {
  const bool grouped = std::any_of(columns_.begin(), columns_.end(),
                                   [](const Column& column) { return !column.group.empty(); });
  return grouped ? 2 : 1;
}

// Columns before `column`: none at the left edge, fewer inside a group.
int Table::Gap(std::size_t column) const {
  if (column == 0) return 0;
  const std::string& group = columns_[column].group;
  return !group.empty() && group == columns_[column - 1].group ? 1 : 2;
}

// The least a column may shrink to.  A title is never cut.
int Table::Least(std::size_t column) const {
  const Column& c = columns_[column];
  return c.min_width > 0 ? std::max(c.min_width, DisplayWidth(c.title)) : INT_MAX;
}

// The width that the last column of a group needs for the group's title; 0: it is not the last.
int Table::MissingForGroup(const std::vector<int>& widths, std::size_t column) const {
  const std::string& group = columns_[column].group;
  const bool is_last = column + 1 == columns_.size() || columns_[column + 1].group != group;
  if (group.empty() || !is_last) return 0;
  int missing = DisplayWidth(group);
  for (std::size_t c = column; c > 0 && columns_[c - 1].group == group; --c) {
    missing -= widths[c - 1] + Gap(c);
  }
  return missing;
}

std::vector<int> Table::Widths(int width) const {
  std::vector<int> widths;
  int total = 0;
  int least = 0;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    int widest = DisplayWidth(columns_[c].title);
    for (const std::vector<Cell>& row : rows_) widest = std::max(widest, DisplayWidth(row[c].text));
    widest = std::max(widest, MissingForGroup(widths, c));
    least += Gap(c) + std::min(Least(c), widest);
    if (least > width && c > 0) break;
    widths.push_back(widest);
    total += Gap(c) + widest;
  }
  while (total > width) {
    std::size_t widest = widths.size();
    for (std::size_t c = 0; c < widths.size(); ++c) {
      const bool can_shrink = widths[c] > Least(c);
      if (can_shrink && (widest == widths.size() || widths[c] > widths[widest])) widest = c;
    }
    if (widest == widths.size()) break;
    --widths[widest];
    --total;
  }
  return widths;
}

Line Table::GroupLine(const std::vector<int>& widths) const {
  Line line;
  for (std::size_t c = 0; c < widths.size();) {
    line.Add(Spaces(Gap(c)));
    int span = widths[c];
    std::size_t end = c + 1;
    const std::string& group = columns_[c].group;
    for (; !group.empty() && end < widths.size() && columns_[end].group == group; ++end)
      span += Gap(end) + widths[end];
    line.Add(Pad(group, span), group.empty() ? Style::kPlain : Style::kDim);
    c = end;
  }
  return line;
}

Line Table::TitleLine(const std::vector<int>& widths) const {
  Line line;
  for (std::size_t c = 0; c < widths.size(); ++c)
    line.Add(Spaces(Gap(c)) + Pad(columns_[c].title, widths[c], columns_[c].align), Style::kHeader);
  return line;
}

Lines Table::Render(int width, std::size_t first, std::size_t count) const {
  const std::vector<int> widths = Widths(width);
  Lines lines;
  if (header_height() == 2) lines.push_back(GroupLine(widths));
  lines.push_back(TitleLine(widths));
  for (std::size_t r = first; r < rows_.size() && r - first < count; ++r) {
    Line line;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      line.Add(Spaces(Gap(c)));
      line.Add(Pad(rows_[r][c].text, widths[c], columns_[c].align), rows_[r][c].style);
    }
    lines.push_back(std::move(line));
  }
  for (Line& line : lines)
    if (line.width() > width) line = line.Fitted(width);
  return lines;
}

}  // namespace pgvalet::cli

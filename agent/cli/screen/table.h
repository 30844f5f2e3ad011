// Table: rows of cells to lines that fit a width.
//
// Columns are as wide as their widest cell.  When that is too wide, flexible columns
// (names) shrink, widest first, down to their minimum; when that is not enough, whole
// columns are left out from the right, so columns go from important to less important.
#pragma once

#include <string>
#include <vector>

#include "cli/screen/line.h"
#include "cli/screen/text.h"

namespace pgvalet::cli {

struct Column {
  std::string title;
  Align align = Align::kLeft;
  int min_width = 0;    // of a flexible column; 0: never shrinks
  std::string group{};  // title over neighbours that have the same; empty: none
};

struct Cell {
  Cell(std::string cell_text, Style cell_style = Style::kPlain)  // NOLINT: implicit on purpose
      : text(std::move(cell_text)), style(cell_style) {}
  Cell(const char* cell_text) : text(cell_text), style(Style::kPlain) {}  // NOLINT: the same
  std::string text;  // made printable by the table
  Style style;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // REQUIRES: as many cells as columns.
  void Add(std::vector<Cell> row);

  std::size_t size() const { return rows_.size(); }
  // Lines of the header: two when columns have groups.
  std::size_t header_height() const;

  // The header (see header_height()); rows from `first` on, at most `count`.  Widths are
  // those of all rows, so scrolling does not move columns.
  Lines Render(int width) const { return Render(width, 0, rows_.size()); }
  Lines Render(int width, std::size_t first, std::size_t count) const;

 private:
  // Of the columns that fit; fewer than columns_ when some are left out.
  std::vector<int> Widths(int width) const;
  int MissingForGroup(const std::vector<int>& widths, std::size_t column) const;
  int Least(std::size_t column) const;
  int Gap(std::size_t column) const;
  Line GroupLine(const std::vector<int>& widths) const;
  Line TitleLine(const std::vector<int>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace pgvalet::cli

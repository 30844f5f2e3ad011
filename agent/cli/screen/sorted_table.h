// SortedTable: a table whose rows can be put in order of one of a few keys.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cli/screen/table.h"

namespace pgvalet::cli {

// What a row is about, for who goes on from it; empty and 0: it is not about that.
struct RowSubject {
  std::string database{};
  std::string user{};
  std::string application_name{};
  std::int64_t server_pid = 0;
  bool operator==(const RowSubject&) const = default;
};

// Key 0 is the order in which rows were added (by name); every other key sorts the
// largest first, equal ones by name.
class SortedTable {
 public:
  // REQUIRES: at least one key.
  SortedTable(std::vector<Column> columns, std::vector<std::string> keys)
      : columns_(std::move(columns)), keys_(std::move(keys)) {}

  const std::vector<std::string>& keys() const { return keys_; }

  // `values` belong to keys()[1], keys()[2], ...
  void Add(std::vector<Cell> cells, std::vector<double> values, RowSubject subject = {}) {
    rows_.push_back({std::move(cells), std::move(values), std::move(subject)});
  }

  // Leaves only rows about which `is_wanted` is true.
  template <typename Predicate>
  void Keep(const Predicate& is_wanted) {
    std::erase_if(rows_, [&](const Row& row) { return !is_wanted(row.subject); });
  }

  // Puts the rows in the order of a key.
  void Sort(std::size_t key, bool is_reversed = false) {
    if (key > 0 && key < keys_.size()) {
      std::stable_sort(rows_.begin(), rows_.end(), [key](const Row& a, const Row& b) {
        return a.values[key - 1] > b.values[key - 1];
      });
    }
    if (is_reversed) std::reverse(rows_.begin(), rows_.end());
  }

  // As it is sorted now.
  Table table() const {
    Table table(columns_);
    for (const Row& row : rows_) table.Add(row.cells);
    return table;
  }

  std::size_t size() const { return rows_.size(); }
  // REQUIRES: row < size().
  const RowSubject& subject(std::size_t row) const { return rows_[row].subject; }

 private:
  struct Row {
    std::vector<Cell> cells;
    std::vector<double> values;
    RowSubject subject;
  };
  std::vector<Column> columns_;
  std::vector<std::string> keys_;
  std::vector<Row> rows_;
};

}  // namespace pgvalet::cli

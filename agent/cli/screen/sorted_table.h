// SortedTable: a table whose rows can be put in order of one of a few keys.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "cli/screen/table.h"

namespace pgvalet::cli {

// Key 0 is the order in which rows were added (by name); every other key sorts the
// largest first, equal ones by name.
class SortedTable {
 public:
  // REQUIRES: at least one key.
  SortedTable(std::vector<Column> columns, std::vector<std::string> keys)
      : columns_(std::move(columns)), keys_(std::move(keys)) {}

  const std::vector<std::string>& keys() const { return keys_; }

  // `values` belong to keys()[1], keys()[2], ...
  void Add(std::vector<Cell> cells, std::vector<double> values) {
    rows_.push_back({std::move(cells), std::move(values)});
  }

  Table Sorted(std::size_t key) const {
    std::vector<const Row*> order;
    for (const Row& row : rows_) order.push_back(&row);
    if (key > 0 && key < keys_.size())
      std::stable_sort(order.begin(), order.end(), [key](const Row* a, const Row* b) {
        return a->values[key - 1] > b->values[key - 1];
      });
    Table table(columns_);
    for (const Row* row : order) table.Add(row->cells);
    return table;
  }

 private:
  struct Row {
    std::vector<Cell> cells;
    std::vector<double> values;
  };
  std::vector<Column> columns_;
  std::vector<std::string> keys_;
  std::vector<Row> rows_;
};

}  // namespace pgvalet::cli

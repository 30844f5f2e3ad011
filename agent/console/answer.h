// What a command answers: rows or a tag, and notices.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "wire/result_rows.h"

namespace pgvalet::console {

// A result of rows.  Rows have a field for every column.
struct Table {
  std::vector<wire::Column> columns;
  std::vector<std::vector<wire::Field>> rows;
};

struct Answer {
  Table table;  // without columns: the command has no rows
  std::string tag = "SHOW";
  std::string notice;  // empty: none
  bool ends_session = false;
};

// "no such database: app" as an ErrorResponse; the severity is ERROR.
void AppendError(std::string& out, const Error& error);
void AppendAnswer(std::string& out, const Answer& answer);

// Fields of numbers and switches, as PgBouncer writes them.
wire::Field Number(std::int64_t value);
wire::Field Number(std::uint64_t value);
inline wire::Field Number(int value) { return Number(static_cast<std::int64_t>(value)); }
inline wire::Field Number(std::uint32_t value) { return Number(static_cast<std::int64_t>(value)); }
inline wire::Field Flag(bool value) { return Number(value ? 1 : 0); }

}  // namespace pgvalet::console

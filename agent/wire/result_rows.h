// Rows of an answer to a simple query, all in text.
//
// Appends whole messages to `out`, as message_builder.h does.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pgvalet::wire {

// The types the console answers with, by their OIDs in every PostgreSQL.
enum class ColumnType : std::uint32_t {
  kBytea = 17,
  kInt8 = 20,
  kInt4 = 23,
  kText = 25,
  kNumeric = 1700,
};

struct Column {
  std::string_view name;
  ColumnType type;
};

// Nothing: NULL.
using Field = std::optional<std::string>;

void AppendRowDescription(std::string& out, std::span<const Column> columns);
void AppendDataRow(std::string& out, std::span<const Field> fields);
void AppendCommandComplete(std::string& out, std::string_view tag);
void AppendEmptyQueryResponse(std::string& out);

}  // namespace pgvalet::wire

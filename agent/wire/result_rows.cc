#include "wire/result_rows.h"

#include "wire/message_builder.h"

namespace pgvalet::wire {
namespace {

// Bytes of a value, -1 for those of variable length.
std::uint16_t SizeOf(ColumnType type) {
  switch (type) {
    case ColumnType::kInt4:
      return 4;
    case ColumnType::kInt8:
      return 8;
    default:
      return 0xffff;
  }
}

}  // namespace

void AppendRowDescription(std::string& out, std::span<const Column> columns) {
  const std::size_t mark = BeginMessage(out, server::kRowDescription);
  AppendU16(out, static_cast<std::uint16_t>(columns.size()));
  for (const Column& column : columns) {
    AppendString(out, column.name);
    AppendU32(out, 0);  // of no table
    AppendU16(out, 0);
    AppendU32(out, static_cast<std::uint32_t>(column.type));
    AppendU16(out, SizeOf(column.type));
    AppendU32(out, 0xffffffff);  // no modifier
    AppendU16(out, 0);           // text
  }
  EndMessage(out, mark);
}

void AppendDataRow(std::string& out, std::span<const Field> fields) {
  const std::size_t mark = BeginMessage(out, server::kDataRow);
  AppendU16(out, static_cast<std::uint16_t>(fields.size()));
  for (const Field& field : fields) {
    if (!field) {
      AppendU32(out, 0xffffffff);
      continue;
    }
    AppendU32(out, static_cast<std::uint32_t>(field->size()));
    out += *field;
  }
  EndMessage(out, mark);
}

void AppendCommandComplete(std::string& out, std::string_view tag) {
  const std::size_t mark = BeginMessage(out, server::kCommandComplete);
  AppendString(out, tag);
  EndMessage(out, mark);
}

void AppendEmptyQueryResponse(std::string& out) {
  EndMessage(out, BeginMessage(out, server::kEmptyQueryResponse));
}

}  // namespace pgvalet::wire

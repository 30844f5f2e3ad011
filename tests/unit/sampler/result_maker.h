// Results as libpq makes them, without a server.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "sampler/columns.h"
#include "sampler/connection.h"

namespace pgvalet::sampler {

inline std::string Bytes(std::uint64_t value, int size) {
  std::string bytes;
  for (int shift = (size - 1) * 8; shift >= 0; shift -= 8)
    bytes += static_cast<char>(value >> shift & 0xFF);
  return bytes;
}

struct Cell {
  Oid type;
  std::string bytes;
  bool null = false;
};

inline Cell Int4(std::int32_t value) { return {23, Bytes(static_cast<std::uint32_t>(value), 4)}; }
inline Cell Int8(std::int64_t value) { return {20, Bytes(static_cast<std::uint64_t>(value), 8)}; }
inline Cell Text(std::string value) { return {25, std::move(value)}; }
inline Cell Float8(double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return {701, Bytes(bits, 8)};
}
inline Cell TimestampTz(std::int64_t us_since_2000) {
  return {1184, Bytes(static_cast<std::uint64_t>(us_since_2000), 8)};
}
inline Cell Null(Cell cell) { return {cell.type, {}, true}; }

using Row = std::vector<Cell>;

// Types come from the first row, or from `shape` when there is none.
inline ResultPtr MakeResult(const std::vector<Row>& rows, const Row& shape = {}, int format = 1) {
  const Row& first = rows.empty() ? shape : rows.front();
  ResultPtr result(PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK));
  std::vector<PGresAttDesc> columns(first.size());
  std::string name = "column";
  for (std::size_t i = 0; i < first.size(); ++i) {
    columns[i] = PGresAttDesc{};
    columns[i].name = name.data();
    columns[i].typid = first[i].type;
    columns[i].format = format;
  }
  PQsetResultAttrs(result.get(), static_cast<int>(columns.size()), columns.data());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      Cell cell = rows[r][c];
      PQsetvalue(result.get(), static_cast<int>(r), static_cast<int>(c),
                 cell.null ? nullptr : cell.bytes.data(),
                 cell.null ? -1 : static_cast<int>(cell.bytes.size()));
    }
  }
  return result;
}

// A visitor that turns a row of our own into cells.
struct CellMaker {
  Row cells;
  void operator()(const char*, std::int32_t value) { cells.push_back(Int4(value)); }
  void operator()(const char*, std::int64_t value) { cells.push_back(Int8(value)); }
  void operator()(const char*, double value) { cells.push_back(Float8(value)); }
  void operator()(const char*, const std::string& value) { cells.push_back(Text(value)); }
  void operator()(const char*, stats::WallTime value) {
    cells.push_back(
        TimestampTz((value.time_since_epoch() - std::chrono::seconds(946684800)).count()));
  }
};

inline Row CellsOf(stats::BackendRow row) {
  CellMaker maker;
  VisitColumns(row, maker);
  return maker.cells;
}
inline Row CellsOf(stats::UsageRow row) {
  CellMaker maker;
  VisitColumns(row, "role_name", maker);
  return maker.cells;
}
inline Row CellsOf(stats::SummaryRow row) {
  CellMaker maker;
  VisitColumns(row, maker);
  return maker.cells;
}

}  // namespace pgvalet::sampler

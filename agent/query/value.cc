#include "query/value.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>

#include "base/clean_text.h"

namespace pgvalet::query {
namespace {

// Of pg_type; these never change.
constexpr std::uint32_t kBool = 16;
constexpr std::uint32_t kBytea = 17;
constexpr std::uint32_t kInt8 = 20;
constexpr std::uint32_t kInt2 = 21;
constexpr std::uint32_t kInt4 = 23;
constexpr std::uint32_t kOid = 26;
constexpr std::uint32_t kFloat4 = 700;
constexpr std::uint32_t kFloat8 = 701;

struct TypeEntry {
  std::uint32_t oid;
  std::string_view name;
};

// By OID.
constexpr auto kTypes = std::to_array<TypeEntry>({
    {16, "bool"},        {17, "bytea"},         {18, "char"},           {19, "name"},
    {20, "int8"},        {21, "int2"},          {23, "int4"},           {25, "text"},
    {26, "oid"},         {114, "json"},         {142, "xml"},           {199, "_json"},
    {600, "point"},      {650, "cidr"},         {700, "float4"},        {701, "float8"},
    {705, "unknown"},    {774, "macaddr8"},     {790, "money"},         {829, "macaddr"},
    {869, "inet"},       {1000, "_bool"},       {1001, "_bytea"},       {1005, "_int2"},
    {1007, "_int4"},     {1009, "_text"},       {1015, "_varchar"},     {1016, "_int8"},
    {1021, "_float4"},   {1022, "_float8"},     {1042, "bpchar"},       {1043, "varchar"},
    {1082, "date"},      {1083, "time"},        {1114, "timestamp"},    {1115, "_timestamp"},
    {1182, "_date"},     {1184, "timestamptz"}, {1185, "_timestamptz"}, {1186, "interval"},
    {1231, "_numeric"},  {1266, "timetz"},      {1560, "bit"},          {1562, "varbit"},
    {1700, "numeric"},   {2205, "regclass"},    {2206, "regtype"},      {2249, "record"},
    {2278, "void"},      {2950, "uuid"},        {2951, "_uuid"},        {3220, "pg_lsn"},
    {3614, "tsvector"},  {3615, "tsquery"},     {3802, "jsonb"},        {3807, "_jsonb"},
    {3904, "int4range"}, {3906, "numrange"},    {3908, "tsrange"},      {3910, "tstzrange"},
    {3912, "daterange"}, {3926, "int8range"},
});

template <typename Number>
std::string NumberText(Number number) {
  std::array<char, 64> buffer{};
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return {buffer.data(), written.ptr};
}

std::string DoubleText(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  return NumberText(number);
}

std::string BytesText(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "\\x";
  text.reserve(2 + bytes.size() * 2);
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += kDigits[value >> 4];
    text += kDigits[value & 0xF];
  }
  return text;
}

template <typename Number>
std::optional<Number> Read(std::string_view text) {
  Number number{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> ReadDouble(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return Read<double>(text);
}

// Either form that bytea_output knows.
std::optional<std::string> ReadBytes(std::string_view text) {
  const std::string terminated(text);
  std::size_t length = 0;
  const std::unique_ptr<unsigned char, decltype(&PQfreemem)> bytes(
      PQunescapeBytea(reinterpret_cast<const unsigned char*>(terminated.c_str()), &length),
      &PQfreemem);
  if (!bytes) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(bytes.get()), length);
}

void FillText(std::string_view text, v1::Value& value) {
  if (IsUtf8(text)) {
    value.set_text(std::string(text));
  } else {
    value.set_bytes(std::string(text));
  }
}

}  // namespace

std::optional<std::string> ToText(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kBool:
      return value.bool_() ? "true" : "false";
    case v1::Value::kInt:
      return NumberText(value.int_());
    case v1::Value::kDouble:
      return DoubleText(value.double_());
    case v1::Value::kText:
      return value.text();
    case v1::Value::kBytes:
      return BytesText(value.bytes());
    case v1::Value::kNull:
    case v1::Value::KIND_NOT_SET:
      return std::nullopt;
  }
  return std::nullopt;
}

void Fill(std::uint32_t type_oid, std::string_view text, v1::Value& value) {
  switch (type_oid) {
    case kBool:
      return value.set_bool_(text == "t");
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid:
      if (const auto number = Read<std::int64_t>(text)) return value.set_int_(*number);
      return FillText(text, value);
    case kFloat4:
    case kFloat8:
      if (const auto number = ReadDouble(text)) return value.set_double_(*number);
      return FillText(text, value);
    case kBytea:
      if (auto bytes = ReadBytes(text)) return value.set_bytes(std::move(*bytes));
      return FillText(text, value);
    default:
      return FillText(text, value);
  }
}

std::string_view TypeName(std::uint32_t type_oid) {
  const auto found =
      std::lower_bound(kTypes.begin(), kTypes.end(), type_oid,
                       [](const TypeEntry& entry, std::uint32_t oid) { return entry.oid < oid; });
  return found != kTypes.end() && found->oid == type_oid ? found->name : std::string_view();
}

}  // namespace pgvalet::query

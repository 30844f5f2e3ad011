#include "sampler/decode.h"

#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "base/clean_text.h"
#include "sampler/columns.h"
#include "sampler/queries.h"

namespace pgvalet::sampler {
namespace {

// Of pg_type; these never change.
constexpr Oid kInt8 = 20;
constexpr Oid kInt4 = 23;
constexpr Oid kText = 25;
constexpr Oid kFloat8 = 701;
constexpr Oid kTimestampTz = 1184;

// Bytes of a text that are kept.
constexpr std::size_t kLongestName = 256;
constexpr std::size_t kLongestSentence = 1000;

// PostgreSQL counts from 2000-01-01, the system clock from 1970-01-01.
constexpr std::chrono::microseconds kPostgresEpoch = std::chrono::seconds(946684800);

template <typename Unsigned>
Unsigned BigEndian(const char* bytes) {
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i)
    value = static_cast<Unsigned>(value << 8 | static_cast<unsigned char>(bytes[i]));
  return value;
}

// Reads the cells of one row from left to right; the first that does not fit ends it.
class RowReader {
 public:
  RowReader(const PGresult* result, int row, std::size_t longest_text = kLongestName)
      : result_(result), row_(row), longest_text_(longest_text) {}

  template <typename Member>
  void operator()(const char* column, Member& member) {
    if (problem_) return;
    if (column_ >= PQnfields(result_)) return Fail(column, "is missing");
    if (PQftype(result_, column_) != TypeOf<Member>()) return Fail(column, "has another type");
    if (PQfformat(result_, column_) != 1) return Fail(column, "is not in binary format");
    const int index = column_++;
    if (PQgetisnull(result_, row_, index) != 0) return;
    const std::string_view cell(PQgetvalue(result_, row_, index),
                                static_cast<std::size_t>(PQgetlength(result_, row_, index)));
    if (!Read(cell, member)) Fail(column, "has a value that cannot be read");
  }

  // Nothing when the row was read whole.
  std::optional<Error> Finish() {
    if (!problem_ && column_ != PQnfields(result_)) Fail("a column", "was not asked for");
    return std::move(problem_);
  }

 private:
  template <typename Member>
  static constexpr Oid TypeOf() {
    if constexpr (std::is_same_v<Member, std::int32_t>) return kInt4;
    if constexpr (std::is_same_v<Member, std::int64_t>) return kInt8;
    if constexpr (std::is_same_v<Member, double>) return kFloat8;
    if constexpr (std::is_same_v<Member, std::string>) return kText;
    static_assert(std::is_same_v<Member, std::int32_t> || std::is_same_v<Member, std::int64_t> ||
                  std::is_same_v<Member, double> || std::is_same_v<Member, std::string> ||
                  std::is_same_v<Member, stats::WallTime>);
    return kTimestampTz;
  }

  static bool Read(std::string_view cell, std::int32_t& member) {
    if (cell.size() != 4) return false;
    member = static_cast<std::int32_t>(BigEndian<std::uint32_t>(cell.data()));
    return true;
  }
  static bool Read(std::string_view cell, std::int64_t& member) {
    if (cell.size() != 8) return false;
    member = static_cast<std::int64_t>(BigEndian<std::uint64_t>(cell.data()));
    return true;
  }
  static bool Read(std::string_view cell, double& member) {
    if (cell.size() != 8) return false;
    member = std::bit_cast<double>(BigEndian<std::uint64_t>(cell.data()));
    return std::isfinite(member);
  }
  bool Read(std::string_view cell, std::string& member) const {
    member = CleanText(cell, longest_text_);
    return true;
  }
  static bool Read(std::string_view cell, stats::WallTime& member) {
    std::int64_t since_2000_us = 0;
    if (!Read(cell, since_2000_us)) return false;
    // "infinity" and "-infinity" are the extremes, and no moment.
    if (since_2000_us > INT64_MAX - kPostgresEpoch.count() || since_2000_us == INT64_MIN)
      return false;
    member = stats::WallTime(std::chrono::microseconds(since_2000_us) + kPostgresEpoch);
    return true;
  }

  void Fail(const char* column, const char* what) {
    problem_ =
        Error{ErrorCode::kProtocol, "unexpected answer", 0, std::string(column) + " " + what};
  }

  const PGresult* result_;
  const int row_;
  const std::size_t longest_text_;
  int column_ = 0;
  std::optional<Error> problem_;
};

template <typename Row, typename Visit>
Result<std::vector<Row>> DecodeRows(const PGresult* result, bool* cut, Visit visit,
                                    std::size_t longest_text = kLongestName) {
  std::size_t count = static_cast<std::size_t>(PQntuples(result));
  if (count > kMaxRows) {
    count = kMaxRows;
    *cut = true;
  }
  std::vector<Row> rows(count);
  for (std::size_t i = 0; i < count; ++i) {
    RowReader reader(result, static_cast<int>(i), longest_text);
    visit(rows[i], reader);
    if (std::optional<Error> problem = reader.Finish()) return *problem;
  }
  return rows;
}

template <typename Row>
Result<std::vector<Row>> DecodeAll(const PGresult* result) {
  bool cut = false;
  return DecodeRows<Row>(result, &cut,
                         [](Row& row, RowReader& reader) { VisitColumns(row, reader); });
}

Error InView(const char* view, Error error) {
  error.detail = std::string("pgvalet.") + view + ": " + error.detail;
  return error;
}

// inet::text shows the mask: 10.0.0.1/32.
void DropMask(std::string* address) {
  const std::size_t slash = address->find('/');
  if (slash != std::string::npos) address->resize(slash);
}

}  // namespace

Result<std::vector<stats::BackendRow>> DecodeBackends(const PGresult* result, bool* cut) {
  return DecodeRows<stats::BackendRow>(result, cut, [](stats::BackendRow& row, RowReader& reader) {
    VisitColumns(row, reader);
    DropMask(&row.client_addr);
  });
}

Result<std::vector<stats::UsageRow>> DecodeUsage(const PGresult* result, const char* name_column,
                                                 bool* cut) {
  return DecodeRows<stats::UsageRow>(result, cut,
                                     [name_column](stats::UsageRow& row, RowReader& reader) {
                                       VisitColumns(row, name_column, reader);
                                     });
}

Result<stats::SummaryRow> DecodeSummary(const PGresult* result) {
  bool cut = false;
  Result<std::vector<stats::SummaryRow>> rows = DecodeRows<stats::SummaryRow>(
      result, &cut, [](stats::SummaryRow& row, RowReader& reader) { VisitColumns(row, reader); });
  if (!rows) return rows.error();
  if (rows->size() != 1)
    return Error{ErrorCode::kProtocol, "unexpected answer", 0, "not exactly one row"};
  return rows->front();
}

Result<std::vector<ExtensionEvent>> DecodeEvents(const PGresult* result) {
  bool cut = false;
  return DecodeRows<ExtensionEvent>(result, &cut, [](ExtensionEvent& row, RowReader& reader) {
    VisitColumns(row, reader);
    row.event.source = stats::EventSource::kExtension;
    row.event.server_pid = static_cast<std::uint32_t>(row.pid);
    row.event.is_dry_run = row.is_dry_run != 0;
  });
}

Result<std::vector<stats::AdviceRow>> DecodeAdvice(const PGresult* result) {
  bool cut = false;
  return DecodeRows<stats::AdviceRow>(
      result, &cut, [](stats::AdviceRow& row, RowReader& reader) { VisitColumns(row, reader); },
      kLongestSentence);
}

Result<std::vector<stats::EndedSession>> DecodeEndedSessions(const PGresult* result) {
  bool cut = false;
  return DecodeRows<stats::EndedSession>(result, &cut,
                                         [](stats::EndedSession& row, RowReader& reader) {
                                           VisitColumns(row, reader);
                                           DropMask(&row.client_addr);
                                         });
}

Result<std::vector<stats::Distribution>> DecodeDistributions(const PGresult* result) {
  return DecodeAll<stats::Distribution>(result);
}

Result<std::vector<BucketRow>> DecodeBuckets(const PGresult* result) {
  return DecodeAll<BucketRow>(result);
}

Result<std::vector<stats::ServerMinute>> DecodeMinutes(const PGresult* result) {
  return DecodeAll<stats::ServerMinute>(result);
}

Result<bool> DecodeSignalled(const PGresult* result) {
  if (PQntuples(result) != 1)
    return Error{ErrorCode::kProtocol, "unexpected answer", 0, "not exactly one row"};
  std::int32_t was_signalled = 0;
  RowReader reader(result, 0);
  reader("signalled", was_signalled);
  if (std::optional<Error> problem = reader.Finish()) return *problem;
  return was_signalled != 0;
}

Result<std::optional<std::string>> DecodeProbe(const PGresult* result) {
  if (PQntuples(result) != 1 || PQnfields(result) != 1)
    return Error{ErrorCode::kProtocol, "unexpected answer", 0, "the version is not one value"};
  if (PQgetisnull(result, 0, 0) != 0) return std::optional<std::string>();
  std::string version;
  RowReader reader(result, 0);
  reader("extversion", version);
  if (std::optional<Error> problem = reader.Finish()) return *problem;
  return std::optional<std::string>(std::move(version));
}

Result<stats::ExtensionSample> DecodeSample(const std::vector<ResultPtr>& results) {
  if (results.size() != SampleStatements().size())
    return Error{ErrorCode::kProtocol, "unexpected answer", 0, "not one result per statement"};
  bool cut = false;
  auto backends = DecodeBackends(results[0].get(), &cut);
  if (!backends) return InView("backends", backends.error());
  auto by_role = DecodeUsage(results[1].get(), "role_name", &cut);
  if (!by_role) return InView("usage_by_role", by_role.error());
  auto by_database = DecodeUsage(results[2].get(), "database_name", &cut);
  if (!by_database) return InView("usage_by_database", by_database.error());
  auto by_application = DecodeUsage(results[3].get(), "application_name", &cut);
  if (!by_application) return InView("usage_by_application", by_application.error());
  auto summary = DecodeSummary(results[4].get());
  if (!summary) return InView("summary", summary.error());

  stats::ExtensionSample sample;
  sample.available = true;
  if (cut)
    sample.reason = "only the first " + std::to_string(kMaxRows) + " rows of a view are kept";
  sample.backends = std::move(*backends);
  sample.usage_by_role = std::move(*by_role);
  sample.usage_by_database = std::move(*by_database);
  sample.usage_by_application = std::move(*by_application);
  sample.summary = std::move(*summary);
  return sample;
}

}  // namespace pgvalet::sampler

#include "sampler/queries.h"

#include <string>
#include <string_view>
#include <type_traits>

#include "sampler/columns.h"

namespace pgvalet::sampler {
namespace {

// Appends columns to a SELECT list, each with a cast to the type that decode.cc expects.
class SelectList {
 public:
  template <typename Member>
  void operator()(const char* column, Member&) {
    if (!text_.empty()) text_ += ", ";
    text_ += column;
    text_ += CastFor<Member>();
  }
  const std::string& text() const { return text_; }

 private:
  template <typename Member>
  static constexpr const char* CastFor() {
    if constexpr (std::is_same_v<Member, std::int32_t>) return "::int4";
    if constexpr (std::is_same_v<Member, std::int64_t>) return "::int8";
    if constexpr (std::is_same_v<Member, double>) return "::float8";
    if constexpr (std::is_same_v<Member, std::string>) return "::text";
    static_assert(std::is_same_v<Member, std::int32_t> || std::is_same_v<Member, std::int64_t> ||
                  std::is_same_v<Member, double> || std::is_same_v<Member, std::string> ||
                  std::is_same_v<Member, stats::WallTime>);
    return "::timestamptz";
  }

  std::string text_;
};

std::string Select(const SelectList& list, const char* view, std::size_t rows = kMaxRows + 1) {
  return "SELECT " + list.text() + " FROM pgvalet." + view + " LIMIT " + std::to_string(rows);
}

template <typename Row>
std::string Columns() {
  Row row;
  SelectList list;
  VisitColumns(row, list);
  return list.text();
}

std::vector<std::string> ValuesOf(const stats::DistributionFilter& filter) {
  return {filter.database, filter.role, filter.application_name, filter.measure};
}

// "statement,transaction,...", as the inside of an array.
std::string Measures() {
  std::string all;
  for (const std::string_view measure : stats::kMeasures) {
    all += (all.empty() ? "" : ",") + std::string(measure);
  }
  return all;
}

std::string SelectBackends() {
  stats::BackendRow row;
  SelectList list;
  VisitColumns(row, list);
  return Select(list, "backends");
}

std::string SelectUsage(const char* name_column, const char* view) {
  stats::UsageRow row;
  SelectList list;
  VisitColumns(row, name_column, list);
  return Select(list, view);
}

std::string SelectAdvice() {
  stats::AdviceRow row;
  SelectList list;
  VisitColumns(row, list);
  return Select(list, "advice", kMaxAdvice);
}

std::string SelectSummary() {
  stats::SummaryRow row;
  SelectList list;
  VisitColumns(row, list);
  return Select(list, "summary");
}

}  // namespace

Statement EventsStatement(std::int64_t from) {
  static const std::string sql = [] {
    ExtensionEvent row;
    SelectList list;
    VisitColumns(row, list);
    // The view's names, without reading the whole ring each time.
    return "SELECT " + list.text() +
           " FROM (SELECT e.event_sequence AS sequence, e.at, e.kind, e.pid, d.datname AS "
           "database_name, r.rolname AS role_name, e.application_name, host(e.client_addr) AS "
           "client, e.rule_name, e.is_dry_run::int4 AS is_dry_run, e.message"
           " FROM pgvalet.events_since($1::int8) AS e"
           " LEFT JOIN pg_catalog.pg_database AS d ON d.oid = e.database_id"
           " LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = e.role_id"
           " ORDER BY e.event_sequence LIMIT " +
           std::to_string(kMaxEvents) + ") AS events ORDER BY sequence";
  }();
  return {"pgvalet_events", sql, {std::to_string(from - 1)}};
}

const std::vector<Statement>& ProbeStatements() {
  static const std::vector<Statement> statements = {
      {"pgvalet_probe",
       "SELECT (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'pgvalet')::text"}};
  return statements;
}

const std::vector<Statement>& SampleStatements() {
  static const std::vector<Statement> statements = {
      {"pgvalet_backends", SelectBackends()},
      {"pgvalet_by_role", SelectUsage("role_name", "usage_by_role")},
      {"pgvalet_by_database", SelectUsage("database_name", "usage_by_database")},
      {"pgvalet_by_application", SelectUsage("application_name", "usage_by_application")},
      {"pgvalet_summary", SelectSummary()}};
  return statements;
}

const std::vector<Statement>& AdviceStatements() {
  static const std::vector<Statement> statements = {{"pgvalet_advice", SelectAdvice()}};
  return statements;
}

Statement EndedSessionsStatement(const stats::EndedSessionFilter& filter) {
  static const std::string sql =
      "SELECT " + Columns<stats::EndedSession>() +
      " FROM pgvalet.sessions WHERE ($1::text = '' OR database_name = $1)"
      " AND ($2::text = '' OR role_name = $2) AND ($3::text = '' OR application_name = $3)"
      " ORDER BY sequence DESC LIMIT $4::int8";
  return {"pgvalet_ended",
          sql,
          {filter.database, filter.user, filter.application_name, std::to_string(filter.limit)}};
}

Statement DistributionsStatement(const stats::DistributionFilter& filter) {
  static const std::string sql =
      "SELECT " + Columns<stats::Distribution>() +
      " FROM pgvalet.distributions WHERE count > 0 AND ($4::text = '' OR measure = $4)"
      " AND (($1::text = '' AND $2::text = '' AND $3::text = '')"
      " OR (dimension = 'database' AND name = nullif($1, ''))"
      " OR (dimension = 'role' AND name = nullif($2, ''))"
      " OR (dimension = 'application' AND name = nullif($3, '')))"
      " ORDER BY dimension, name, measure LIMIT " +
      std::to_string(kMaxRows);
  return {"pgvalet_distributions", sql, ValuesOf(filter)};
}

Statement BucketsStatement(const stats::DistributionFilter& filter) {
  static const std::string sql =
      "SELECT " + Columns<BucketRow>() +
      " FROM (SELECT v.dimension, m.measure, h.lowest_us, h.highest_us, h.count"
      " FROM (VALUES ('database', $1::text), ('role', $2::text), ('application', $3::text))"
      " AS v (dimension, name)"
      " CROSS JOIN unnest('{" +
      Measures() +
      "}'::text[]) AS m (measure)"
      " CROSS JOIN LATERAL pgvalet.histogram(v.dimension, v.name, m.measure) AS h"
      " WHERE v.name <> '' AND ($4::text = '' OR m.measure = $4)) AS buckets"
      " ORDER BY dimension, measure, lowest_us LIMIT " +
      std::to_string(kMaxRows);
  return {"pgvalet_buckets", sql, ValuesOf(filter)};
}

Statement MinutesStatement(stats::WallTime since, int limit) {
  static const std::string sql =
      "SELECT " + Columns<stats::ServerMinute>() +
      " FROM (SELECT * FROM pgvalet.history"
      " WHERE started_at > timestamptz 'epoch' + $1::float8 * interval '1 microsecond'"
      " ORDER BY started_at DESC LIMIT $2::int8) AS minutes ORDER BY started_at";
  return {"pgvalet_minutes",
          sql,
          {std::to_string(since.time_since_epoch().count()), std::to_string(limit)}};
}

Statement EndStatement(std::int32_t pid) {
  return {"pgvalet_end", "SELECT pg_terminate_backend($1::int4)::int4", {std::to_string(pid)}};
}

Statement CancelStatement(std::int32_t pid) {
  return {"pgvalet_cancel", "SELECT pg_cancel_backend($1::int4)::int4", {std::to_string(pid)}};
}

}  // namespace pgvalet::sampler

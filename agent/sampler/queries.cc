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

}  // namespace pgvalet::sampler

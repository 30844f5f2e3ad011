#include "cli/loadtest/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "cli/screen/format.h"
#include "cli/screen/table.h"
#include "cli/screen/text.h"

namespace pgvalet::cli::loadtest {
namespace {

using Json = nlohmann::ordered_json;

double PerSecond(const RunResult& run) {
  const double seconds = std::chrono::duration<double>(run.elapsed).count();
  return seconds > 0 ? static_cast<double>(run.tally.succeeded()) / seconds : 0;
}

// 100 % only where it is all of them.
std::string PercentText(const Tally& tally) {
  if (tally.requests() == 0) return "-";
  if (tally.failed() == 0) return "100 %";
  return fmt::format("{:.1f} %", std::min(tally.percent_succeeded(), 99.9));
}

std::string Known(std::int64_t value) { return value < 0 ? "-" : Count(value); }

// What the run itself needed on the server; -1: not known.
std::int64_t Needed(const RunResult& run) {
  if (run.pool_connections >= 0) return run.pool_connections;
  if (run.database_connections < 0) return -1;
  return run.database_connections - run.database_connections_before;
}

void AddRow(Table& table, const std::string& title, const std::vector<const RunResult*>& runs,
            const std::function<Cell(const RunResult&)>& cell) {
  std::vector<Cell> row = {Cell(title)};
  for (const RunResult* run : runs) row.push_back(cell(*run));
  table.Add(std::move(row));
}

void AddLatencies(Table& table, const std::vector<const RunResult*>& runs) {
  using Member = std::int64_t Latencies::*;
  for (const auto& [title, member] :
       std::initializer_list<std::pair<const char*, Member>>{{"latency p50", &Latencies::p50_us},
                                                             {"latency p90", &Latencies::p90_us},
                                                             {"latency p95", &Latencies::p95_us},
                                                             {"latency p99", &Latencies::p99_us},
                                                             {"latency max", &Latencies::max_us}}) {
    AddRow(table, title, runs, [member = member](const RunResult& run) {
      return run.tally.succeeded() == 0 ? Cell("-") : Cell(Elapsed(run.tally.latencies().*member));
    });
  }
}

// Rows of which something is known.
void AddConnections(Table& table, const std::vector<const RunResult*>& runs) {
  using Member = std::int64_t RunResult::*;
  for (const auto& [title, member] : std::initializer_list<std::pair<const char*, Member>>{
           {"server connections of the pool", &RunResult::pool_connections},
           {"backends of the database", &RunResult::database_connections},
           {"  before the run", &RunResult::database_connections_before}}) {
    const bool is_known = std::any_of(
        runs.begin(), runs.end(), [member = member](const auto* run) { return run->*member >= 0; });
    if (!is_known) continue;
    AddRow(table, title, runs,
           [member = member](const RunResult& run) { return Cell(Known(run.*member)); });
  }
}

void AddCauses(Lines& lines, const char* side, const RunResult& run) {
  for (const Tally::Cause& cause : run.tally.causes()) {
    const std::string state = cause.sqlstate.empty() ? "" : cause.sqlstate + " ";
    lines.emplace_back(
        fmt::format("{}: {} x {}{}", side, Count(cause.count), state, Printable(cause.message)));
  }
}

std::string SideText(const RunResult& run) {
  if (run.tally.requests() == 0) return "nothing was measured";
  const std::int64_t needed = Needed(run);
  std::string text =
      fmt::format("{} of {} requests succeeded", PercentText(run.tally), run.tally.requests());
  if (needed >= 0)
    text += fmt::format(" with at most {} server connection{}", needed, needed == 1 ? "" : "s");
  const std::vector<Tally::Cause> causes = run.tally.causes();
  if (!causes.empty())
    text += fmt::format("; {} did not: {}", causes[0].count,
                        causes[0].sqlstate.empty()
                            ? Printable(causes[0].message)
                            : causes[0].sqlstate + ", " + Printable(causes[0].message));
  return text;
}

Json ToJson(const RunResult& run) {
  const auto known = [](std::int64_t value) { return value < 0 ? Json() : Json(value); };
  const Latencies latencies = run.tally.latencies();
  Json failures = Json::array();
  for (const Tally::Cause& cause : run.tally.causes())
    failures.push_back(
        {{"sqlstate", cause.sqlstate}, {"message", cause.message}, {"count", cause.count}});
  return {{"requests", run.tally.requests()},
          {"succeeded", run.tally.succeeded()},
          {"failed", run.tally.failed()},
          {"succeeded_percent", run.tally.percent_succeeded()},
          {"late", run.tally.late()},
          {"failures", failures},
          {"latency_us",
           {{"p50", latencies.p50_us},
            {"p90", latencies.p90_us},
            {"p95", latencies.p95_us},
            {"p99", latencies.p99_us},
            {"max", latencies.max_us}}},
          {"succeeded_per_s", PerSecond(run)},
          {"elapsed_us", run.elapsed.count()},
          {"interrupted", run.interrupted},
          {"pool_connections", known(run.pool_connections)},
          {"database_connections", known(run.database_connections)},
          {"database_connections_before", known(run.database_connections_before)}};
}

}  // namespace

std::string OutcomeOf(const Report& report) {
  std::string text = "Through the pool " + SideText(report.pool) + ".";
  if (report.direct) text += " Directly " + SideText(*report.direct) + ".";
  if (report.pool.interrupted || (report.direct && report.direct->interrupted))
    text += " Ended early: only what began by then is counted.";
  return text;
}

Lines ReportLines(const Report& report, int width) {
  std::vector<const RunResult*> runs = {&report.pool};
  std::vector<Column> columns = {{""}, {"POOL", Align::kRight}};
  if (report.direct) {
    runs.push_back(&*report.direct);
    columns.push_back({"DIRECT", Align::kRight});
  }
  Table table(columns);
  AddRow(table, "requests", runs, [](const RunResult& run) { return Count(run.tally.requests()); });
  AddRow(table, "succeeded", runs, [](const RunResult& run) {
    return Cell(PercentText(run.tally), run.tally.failed() == 0 ? Style::kGood : Style::kBad);
  });
  AddRow(table, "failed", runs, [](const RunResult& run) { return Count(run.tally.failed()); });
  AddRow(table, "began late", runs, [](const RunResult& run) { return Count(run.tally.late()); });
  AddRow(table, "per second", runs, [](const RunResult& run) { return Rate(PerSecond(run)); });
  AddLatencies(table, runs);
  AddConnections(table, runs);
  Lines lines = table.Render(width);
  lines.emplace_back();
  AddCauses(lines, "pool", report.pool);
  if (report.direct) AddCauses(lines, "direct", *report.direct);
  lines.emplace_back(OutcomeOf(report), Style::kBold);
  return lines;
}

std::string ReportToJson(const Report& report) {
  const LoadPlan& plan = report.plan;
  const Json json = {{"plan",
                      {{"requests", plan.requests},
                       {"duration_us", plan.duration.count()},
                       {"clients", plan.clients},
                       {"script", ScriptName(plan.script)},
                       {"query", plan.query}}},
                     {"pool", ToJson(report.pool)},
                     {"direct", report.direct ? ToJson(*report.direct) : Json()},
                     {"outcome", OutcomeOf(report)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pgvalet::cli::loadtest

#include "cli/top/top_screen.h"

#include <algorithm>

#include "cli/screen/format.h"
#include "cli/screen/text.h"
#include "cli/views/pools_table.h"
#include "cli/views/server_tables.h"
#include "cli/views/summary_lines.h"

namespace pgvalet::cli {
namespace {

constexpr const char* kHelp =
    "q quit  p pause  s sort  1 pools  2 backends  3 usage  arrows scroll";

SortedTable TableOf(const TopData& data, const TopState& state) {
  switch (state.view) {
    case View::kPools:
      break;
    case View::kBackends:
      return BackendsTable(*data.now, data.before.get());
    case View::kUsage:
      return UsageTable(*data.now, data.before.get(), state.usage_by);
  }
  return PoolsTable(*data.now);
}

std::string ViewName(const TopState& state) {
  switch (state.view) {
    case View::kPools:
      return "pools";
    case View::kBackends:
      return "backends";
    case View::kUsage:
      break;
  }
  return std::string("usage by ") + UsageByName(state.usage_by);
}

Line TitleLine(const TopData& data, const TopState& state) {
  Line line = data.now ? AgentLine(*data.now, data.address)
                       : Line("pgvaletd", Style::kBold).Add(" at " + Printable(data.address));
  if (state.paused) line.Add("  ").Add("PAUSED", Style::kWarning);
  if (!data.problem.empty()) {
    line.Add("  ").Add("NO CONNECTION, trying again: " + Printable(data.problem), Style::kBad);
    if (data.now) line.Add(" (shown: " + Elapsed(data.age_us) + " old)");
  } else if (!data.notice.empty()) {
    line.Add("  ").Add(Printable(data.notice), Style::kWarning);
  }
  return line;
}

Line RatesLine(const v1::Snapshot& snapshot) {
  const v1::PoolWindow& window = snapshot.totals_window();
  std::int64_t waiting = 0;
  for (const v1::Pool& pool : snapshot.pools()) waiting += pool.now().clients_waiting();
  Line line("traffic  " + Rate(window.transactions_per_s()) + " transactions/s, " +
            Rate(window.queries_per_s()) + " queries/s, ");
  line.Add(Rate(window.errors_per_s()) + " errors/s",
           window.errors_per_s() > 0 ? Style::kWarning : Style::kPlain);
  if (window.transaction_time().value_count() > 0)
    line.Add(", transaction p99 " + Elapsed(window.transaction_time().p99_us()));
  line.Add("; ");
  line.Add(Count(waiting) + " waiting", waiting > 0 ? Style::kWarning : Style::kPlain);
  if (window.wait_time().value_count() > 0)
    line.Add(", wait p99 " + Elapsed(window.wait_time().p99_us()));
  return line;
}

Lines HeadLines(const TopData& data, const TopState& state) {
  Lines lines = {TitleLine(data, state)};
  if (!data.now) return lines;
  for (const Line& line : AgentLines(*data.now)) lines.push_back(line);
  for (const Line& line : ServerLines(*data.now)) lines.push_back(line);
  lines.push_back(RatesLine(*data.now));
  lines.emplace_back();
  return lines;
}

// Why a table has no rows; empty when that needs no word.
std::string EmptyText(const TopData& data, const TopState& state) {
  if (state.view == View::kPools) return "no pools: no client has logged in yet";
  const v1::Extension& extension = data.now->extension();
  return extension.available() ? "nothing yet" : "only with the extension; see above";
}

}  // namespace

TopScreen DrawTop(const TopData& data, const TopState& state, const ScreenSize& size) {
  TopScreen screen;
  screen.lines = HeadLines(data, state);
  const std::size_t height = static_cast<std::size_t>(std::max(size.rows, 1));
  if (!data.now) {
    if (data.problem.empty()) screen.lines.emplace_back("connecting ...", Style::kDim);
  } else {
    const SortedTable sorted = TableOf(data, state);
    const std::size_t sort = std::min(state.sort[state.view_index()], sorted.keys().size() - 1);
    const Table table = sorted.Sorted(sort);
    // Head, a line that names the view, the table's header, and the help at the bottom.
    const std::size_t taken = screen.lines.size() + 1 + table.header_height() + 1;
    screen.extent.rows = table.size();
    screen.extent.page = height > taken ? height - taken : 1;
    screen.extent.sort_keys = sorted.keys().size();
    const std::size_t first = ClampFirst(state.first[state.view_index()], screen.extent);
    const std::size_t last = std::min(first + screen.extent.page, table.size());

    Line view(ViewName(state), Style::kBold);
    view.Add(", sorted by " + sorted.keys()[sort]);
    if (table.size() > 0)
      view.Add(", " + std::to_string(first + 1) + "-" + std::to_string(last) + " of " +
               std::to_string(table.size()));
    screen.lines.push_back(std::move(view));
    for (Line& line : table.Render(size.columns, first, screen.extent.page))
      screen.lines.push_back(std::move(line));
    if (table.size() == 0) screen.lines.emplace_back(EmptyText(data, state), Style::kDim);
  }
  screen.lines.resize(height - 1);
  screen.lines.emplace_back(kHelp, Style::kDim);
  for (Line& line : screen.lines) line = line.Fitted(size.columns);
  return screen;
}

Lines PlainTop(const TopData& data, const TopState& state, int columns) {
  if (!data.now) return HeadLines(data, state);
  Lines lines = {Line(Moment(data.now->time()), Style::kBold)};
  for (Line& line : HeadLines(data, state)) lines.push_back(std::move(line));
  const SortedTable sorted = TableOf(data, state);
  const Table table =
      sorted.Sorted(std::min(state.sort[state.view_index()], sorted.keys().size() - 1));
  for (Line& line : table.Render(columns)) lines.push_back(std::move(line));
  if (table.size() == 0) lines.emplace_back(EmptyText(data, state), Style::kDim);
  lines.emplace_back();
  return lines;
}

}  // namespace pgvalet::cli

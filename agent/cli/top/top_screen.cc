#include "cli/top/top_screen.h"

#include <algorithm>

#include "cli/screen/format.h"
#include "cli/screen/text.h"
#include "cli/top/top_views.h"
#include "cli/views/summary_lines.h"

namespace pgvalet::cli {
namespace {

constexpr const char* kHelp =
    "q quit  enter details  esc back  s sort  r reverse  p pause  "
    "1 pools  2 clients  3 backends  4 usage  5 pins";

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

// "backends of pool shop/web, sorted by busy, 1-5 of 15".
Line ViewLine(const TopState& state, const SortedTable& table, std::size_t first,
              std::size_t last) {
  const std::size_t view = state.view_index();
  const std::string& key = table.keys()[std::min(state.sort[view], table.keys().size() - 1)];
  Line line(ViewName(state), Style::kBold);
  line.Add(", sorted by " + key + (state.reversed[view] ? ", reversed" : ""));
  if (table.size() > 0)
    line.Add(", " + std::to_string(first + 1) + "-" + std::to_string(last) + " of " +
             std::to_string(table.size()));
  return line;
}

// The part of the table that fits below the head.
void DrawTable(const TopData& data, const TopState& state, const ScreenSize& size,
               std::size_t height, TopScreen& screen) {
  const SortedTable sorted = TableOf(data, state);
  const Table table = sorted.table();
  // Head, a line that names the view, the table's header, and the help at the bottom.
  const std::size_t taken = screen.lines.size() + 1 + table.header_height() + 1;
  Extent& extent = screen.extent;
  extent.rows = table.size();
  extent.page = height > taken ? height - taken : 1;
  extent.sort_keys = sorted.keys().size();
  const std::size_t view = state.view_index();
  const std::size_t selected =
      std::min(state.selected[view], table.size() > 0 ? table.size() - 1 : 0);
  if (table.size() > 0) extent.selected = sorted.subject(selected);
  const std::size_t first = ClampFirst(state.first[view], selected, extent);
  const std::size_t last = std::min(first + extent.page, table.size());

  screen.lines.push_back(ViewLine(state, sorted, first, last));
  Lines lines = table.Render(size.columns, first, extent.page);
  const std::size_t cursor = table.header_height() + selected - first;
  if (table.size() > 0 && cursor < lines.size())
    lines[cursor] = lines[cursor].Fitted(size.columns).Styled(Style::kSelected);
  for (Line& line : lines) screen.lines.push_back(std::move(line));
  if (table.size() == 0) screen.lines.emplace_back(EmptyText(data, state), Style::kDim);
}

void DrawBackend(const TopData& data, const TopState& state, TopScreen& screen) {
  screen.lines.emplace_back(ViewName(state), Style::kBold);
  for (Line& line : BackendPage(data, state.server_pid)) screen.lines.push_back(std::move(line));
}

}  // namespace

TopScreen DrawTop(const TopData& data, const TopState& state, const ScreenSize& size) {
  TopScreen screen;
  screen.lines = HeadLines(data, state);
  const std::size_t height = static_cast<std::size_t>(std::max(size.rows, 1));
  if (!data.now) {
    if (data.problem.empty()) screen.lines.emplace_back("connecting ...", Style::kDim);
  } else if (state.view == View::kBackend) {
    DrawBackend(data, state, screen);
  } else {
    DrawTable(data, state, size, height, screen);
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
  const Table table = TableOf(data, state).table();
  for (Line& line : table.Render(columns)) lines.push_back(std::move(line));
  if (table.size() == 0) lines.emplace_back(EmptyText(data, state), Style::kDim);
  lines.emplace_back();
  return lines;
}

}  // namespace pgvalet::cli

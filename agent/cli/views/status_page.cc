#include "cli/views/status_page.h"

#include "cli/screen/format.h"
#include "cli/screen/text.h"
#include "cli/views/pools_table.h"
#include "cli/views/summary_lines.h"

namespace pgvalet::cli {
namespace {

void Append(Lines* page, const Lines& lines) {
  page->insert(page->end(), lines.begin(), lines.end());
}

Line ExtensionLine(const v1::Snapshot& snapshot) {
  const v1::Extension& extension = snapshot.extension();
  const v1::ServerSummary& summary = extension.summary();
  const std::int64_t age = Between(extension.sampled_at(), snapshot.time());
  Line line("extension pgvalet " + Printable(summary.extension_version()) + ", read " +
            Elapsed(age) + " ago");
  line.Add("; ended by idle policy: " + Count(summary.idle_session_ended_count()) + " idle, " +
           Count(summary.idle_in_transaction_ended_count()) + " idle in transaction");
  if (!extension.reason().empty()) line.Add("; " + Printable(extension.reason()), Style::kWarning);
  return line;
}

}  // namespace

Lines StatusPage(const v1::Snapshot& snapshot, const std::string& address, int width) {
  Lines page = {AgentLine(snapshot, address)};
  Append(&page, AgentLines(snapshot));
  Append(&page, ServerLines(snapshot));
  if (snapshot.extension().available()) page.push_back(ExtensionLine(snapshot));
  page.emplace_back();
  if (snapshot.pools().empty()) {
    page.emplace_back("no pools: no client has logged in yet");
  } else {
    Append(&page, PoolsTable(snapshot).table().Render(width));
  }
  return page;
}

}  // namespace pgvalet::cli

#include "cli/views/summary_lines.h"

#include <algorithm>

#include "cli/screen/format.h"
#include "cli/screen/text.h"

namespace pgvalet::cli {
namespace {

constexpr int kBarWidth = 32;
constexpr int kMostCores = 8;  // of which each has its own figure

std::string StateText(const v1::AgentHealth& agent) {
  switch (agent.state()) {
    case v1::AGENT_STATE_STARTING:
      return "starting";
    case v1::AGENT_STATE_DRAINING:
      return "draining";
    case v1::AGENT_STATE_RUNNING:
      return agent.listening() ? "running" : "running, but not listening";
    default:
      return "in an unknown state";
  }
}

double Share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

Line ClientsLine(const v1::AgentHealth& agent) {
  Line line("clients  ");
  line.Add(Bar(Share(agent.clients(), agent.max_clients()), kBarWidth));
  line.Add(" " + Count(agent.clients()) + " of " + Count(agent.max_clients()));
  if (agent.clients_logging_in() > 0)
    line.Add(", " + Count(agent.clients_logging_in()) + " logging in");
  return line;
}

std::string CoresText(const v1::AgentHealth& agent) {
  std::string text =
      std::to_string(agent.cores_size()) + (agent.cores_size() == 1 ? " core" : " cores");
  if (agent.cores_size() > kMostCores) {
    double busiest = 0;
    for (const v1::Core& core : agent.cores()) busiest = std::max(busiest, core.busy_share());
    return text + ", the busiest " + Percent(busiest);
  }
  for (const v1::Core& core : agent.cores()) text += " " + Percent(core.busy_share());
  return text + (agent.cores_size() > 0 ? " busy" : "");
}

Line ConnectionsLine(const v1::ServerSummary& summary) {
  Line line("servers  ");
  line.Add(Bar(summary.used_share(), kBarWidth));
  line.Add(" " + Count(summary.connections()) + " of " + Count(summary.max_connections()) +
           " connections (" + Count(summary.reserved_connections()) + " reserved)");
  return line;
}

}  // namespace

bool Healthy(const v1::Snapshot& snapshot) {
  return snapshot.agent().state() == v1::AGENT_STATE_RUNNING && snapshot.agent().listening();
}

Line AgentLine(const v1::Snapshot& snapshot, const std::string& address) {
  const v1::AgentHealth& agent = snapshot.agent();
  Line line("pgvaletd " + Printable(agent.version()), Style::kBold);
  line.Add(" at " + Printable(address) + ", ");
  line.Add(StateText(agent), Healthy(snapshot) ? Style::kGood : Style::kBad);
  return line.Add(", up " + Elapsed(agent.uptime_us()));
}

Lines AgentLines(const v1::Snapshot& snapshot) {
  const v1::AgentHealth& agent = snapshot.agent();
  Line process("         " + CoresText(agent) + ", " +
               Size(static_cast<double>(agent.resident_bytes())) + " memory, " +
               Count(agent.open_fds()) + " of " + Count(agent.max_fds()) + " descriptors");
  return {ClientsLine(agent), process};
}

Lines ServerLines(const v1::Snapshot& snapshot) {
  const v1::Extension& extension = snapshot.extension();
  if (!extension.available()) {
    const std::string reason =
        extension.reason().empty() ? "not read yet" : Printable(extension.reason());
    return {Line("servers  ").Add("unknown: " + reason, Style::kWarning)};
  }
  const v1::ServerSummary& summary = extension.summary();
  Line detail("         " + Count(summary.active()) + " active, " + Count(summary.idle()) +
              " idle, ");
  detail.Add(Count(summary.idle_in_transaction()) + " idle in transaction",
             summary.idle_in_transaction() > 0 ? Style::kWarning : Style::kPlain);
  detail.Add("; " + Count(summary.agent_connections()) + " by agents; highest " +
             Count(summary.highest_connections()));
  const std::int64_t ago = Between(summary.highest_at(), snapshot.time());
  if (ago > 0) detail.Add(", " + Elapsed(ago) + " ago");
  return {ConnectionsLine(summary), detail};
}

}  // namespace pgvalet::cli

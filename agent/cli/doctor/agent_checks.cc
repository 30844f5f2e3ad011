#include <fmt/format.h>

#include "cli/doctor/checks.h"
#include "cli/screen/format.h"

namespace pgvalet::cli::doctor {
namespace {

// The agent's own files, sockets and connections that are neither client nor server.
constexpr std::int64_t kOwnDescriptors = 100;
constexpr double kNearLimit = 0.9;

Findings CheckVersion(const v1::AgentHealth& agent, const std::string& our_version) {
  if (agent.version() == our_version)
    return {{"version", Verdict::kOk, "pgvaletd " + agent.version() + ", as this command"}};
  return {{"version", Verdict::kWarning,
           "pgvaletd " + agent.version() + ", this command is " + our_version,
           "use the pgvalet of the agent's package: what it does not know is not shown"}};
}

Findings CheckState(const v1::AgentHealth& agent) {
  switch (agent.state()) {
    case v1::AGENT_STATE_STARTING:
      return {{"state", Verdict::kProblem, "the agent is starting: no client is let in yet",
               "ask again; when it stays so, its log says what it waits for"}};
    case v1::AGENT_STATE_DRAINING:
      return {{"state", Verdict::kProblem,
               fmt::format("the agent is draining: no client is let in, {} left",
                           Quantity(agent.clients(), "client")),
               "it ends when they leave (shutdown_timeout); start it again if it should serve"}};
    default:
      break;
  }
  if (!agent.listening())
    return {{"state", Verdict::kProblem, "the agent runs, but listens for no client",
             "set listen_addr or unix_socket_dir, and restart"}};
  return {{"state", Verdict::kOk,
           fmt::format("running for {}, {}", Elapsed(agent.uptime_us()),
                       Quantity(agent.clients(), "client"))}};
}

Findings CheckDatabases(const std::vector<v1::Database>& databases) {
  Findings findings;
  for (const v1::Database& database : databases) {
    if (database.paused())
      Add(findings, "databases", Verdict::kProblem,
          "database " + database.database() + " is paused: its clients wait",
          "pgvalet resume " + database.database() + ", when nobody works on it any more");
    if (database.disabled())
      Add(findings, "databases", Verdict::kProblem,
          "database " + database.database() + " is disabled: new clients are refused",
          "pgvalet enable " + database.database());
  }
  if (!findings.empty()) return findings;
  return {{"databases", Verdict::kOk,
           fmt::format("{} known, none is paused or disabled",
                       Quantity(static_cast<std::int64_t>(databases.size()), "database"))}};
}

void CheckClients(Findings& findings, const v1::AgentHealth& agent) {
  const bool near =
      static_cast<double>(agent.clients()) >= kNearLimit * static_cast<double>(agent.max_clients());
  const std::string found =
      fmt::format("{} of {} clients (max_client_conn)", agent.clients(), agent.max_clients());
  Add(findings, "limits",
      agent.clients() >= agent.max_clients() ? Verdict::kProblem
      : near                                 ? Verdict::kWarning
                                             : Verdict::kOk,
      found,
      near ? "raise max_client_conn, or set client_idle_timeout so that idle clients leave" : "");
}

void CheckDescriptors(Findings& findings, const v1::Snapshot& snapshot) {
  const v1::AgentHealth& agent = snapshot.agent();
  if (agent.max_fds() == 0) return;  // not known
  std::int64_t servers = 0;
  for (const v1::Pool& pool : snapshot.pools()) servers += pool.now().pool_size();
  const std::int64_t needed = agent.max_clients() + servers + kOwnDescriptors;
  const std::string now =
      fmt::format("{} of {} file descriptors are open", agent.open_fds(), agent.max_fds());
  if (needed <= agent.max_fds()) {
    Add(findings, "limits", Verdict::kOk, now);
    return;
  }
  Add(findings, "limits", Verdict::kWarning,
      fmt::format("{}, but max_client_conn {} + {} of pools + {} of its own = {}", now,
                  agent.max_clients(), Quantity(servers, "server connection"), kOwnDescriptors,
                  needed),
      fmt::format("raise LimitNOFILE of the service to {} or more, or lower max_client_conn",
                  needed));
}

}  // namespace

Findings CheckAgent(const Facts& facts, const std::string& our_version) {
  const v1::AgentHealth& agent = facts.snapshot.agent();
  Findings findings = CheckVersion(agent, our_version);
  Append(findings, CheckState(agent));
  if (facts.settings) {
    Append(findings, CheckDatabases(facts.databases));
  } else {
    Add(findings, "databases", Verdict::kSkipped, "the agent lists them with a token only");
  }
  CheckClients(findings, agent);
  CheckDescriptors(findings, facts.snapshot);
  return findings;
}

}  // namespace pgvalet::cli::doctor

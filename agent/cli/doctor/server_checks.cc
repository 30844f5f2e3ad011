#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "cli/doctor/checks.h"
#include "cli/screen/format.h"

namespace pgvalet::cli::doctor {
namespace {

constexpr const char* kAdviceOnDown =
    "the agent's log says why: address, password, pg_hba.conf, max_connections; try it with "
    "--server-uri from the agent's machine";

const v1::Alert* FindAlert(const v1::Snapshot& snapshot, std::string_view name,
                           const std::string& database) {
  for (const v1::Alert& alert : snapshot.alerts()) {
    if (alert.name() == name && alert.database() == database) return &alert;
  }
  return nullptr;
}

std::int64_t ServersOf(const v1::PoolGauges& now) {
  return now.servers_active() + now.servers_idle() + now.servers_testing() +
         now.servers_canceling();
}

Finding CheckPool(const v1::Snapshot& snapshot, const v1::Pool& pool) {
  const std::int64_t servers = ServersOf(pool.now());
  const v1::PoolTotals& totals = pool.totals();
  const v1::Alert* down = FindAlert(snapshot, "server_down", pool.database());
  const bool never =
      totals.server_connect_failure_count() > 0 && totals.server_connect_count() == 0;
  const std::string counts =
      fmt::format("{}: {} open, {} failed", NameOf(pool), Quantity(servers, "server connection"),
                  Quantity(totals.server_connect_failure_count(), "attempt"));
  if (down != nullptr || never)
    return {"servers", Verdict::kProblem,
            counts + (down != nullptr ? ": " + down->message() : "; none ever worked"),
            kAdviceOnDown};
  const v1::Alert* failed = FindAlert(snapshot, "pool_failed_connections", pool.database());
  if (failed != nullptr && failed->user() == pool.user())
    return {"servers", Verdict::kWarning, counts + ": " + failed->message(),
            failed->recommendation()};
  return {"servers", Verdict::kOk, counts};
}

// What the agent says of an extension that it cannot read, and what helps.
std::string AdviceOnExtension(const Facts& facts, const std::string& reason) {
  if (facts.settings && facts.settings->sampler_interval.count() == 0)
    return "set sampler_interval to 1: with 0 the extension is not read";
  if (reason.find("not preloaded") != std::string::npos)
    return "add pgvalet to shared_preload_libraries in postgresql.conf, and restart PostgreSQL";
  if (reason.find("not installed") != std::string::npos)
    return "CREATE EXTENSION pgvalet in that database (sampler_dbname names it); pgvalet has to be "
           "in "
           "shared_preload_libraries, too";
  if (reason.find("may not read") != std::string::npos)
    return "GRANT pg_monitor to the role that sampler_user names";
  if (reason.find("cannot connect") != std::string::npos)
    return "look at sampler_user, sampler_password and sampler_dbname, and whether pg_hba.conf "
           "lets "
           "that role in";
  return "look at sampler_user and sampler_dbname, and at the agent's log";
}

bool Older(const std::string& version, const std::string& than) {
  const auto numbers = [](const std::string& text) {
    int major = 0, minor = 0;
    std::sscanf(text.c_str(), "%d.%d", &major, &minor);  // NOLINT(cert-err34-c): 0 where it is none
    return std::pair(major, minor);
  };
  return numbers(version) < numbers(than);
}

// The pools of one database, which max_db_connections holds together.
struct DatabaseShare {
  std::int64_t pools = 0;
  std::int64_t connections = 0;
  std::string terms;
};

std::map<std::string, DatabaseShare> SharesOf(const v1::Snapshot& snapshot) {
  std::map<std::string, std::map<std::int64_t, std::int64_t>> sizes;  // of each, how many pools
  for (const v1::Pool& pool : snapshot.pools()) ++sizes[pool.database()][pool.now().pool_size()];
  std::map<std::string, DatabaseShare> shares;
  for (const auto& [database, counts] : sizes) {
    DatabaseShare& share = shares[database];
    for (const auto& [size, count] : counts) {
      share.pools += count;
      share.connections += size * count;
      share.terms +=
          fmt::format("{}{} x {}", share.terms.empty() ? "" : " + ", Quantity(count, "pool"), size);
    }
  }
  return shares;
}

// A pool whose clients were all refused is gone while its alert is still in force.
void CheckServersWithoutPool(const v1::Snapshot& snapshot, Findings& findings) {
  for (const v1::Alert& alert : snapshot.alerts()) {
    const auto is_its_own = [&alert](const v1::Pool& pool) {
      return pool.database() == alert.database();
    };
    if (alert.name() != "server_down" ||
        std::any_of(snapshot.pools().begin(), snapshot.pools().end(), is_its_own))
      continue;
    Add(findings, "servers", Verdict::kProblem, alert.component() + ": " + alert.message(),
        kAdviceOnDown);
  }
}

}  // namespace

Findings CheckServers(const Facts& facts) {
  Findings findings;
  for (const v1::Pool& pool : facts.snapshot.pools())
    findings.push_back(CheckPool(facts.snapshot, pool));
  CheckServersWithoutPool(facts.snapshot, findings);
  if (findings.empty())
    Add(findings, "servers", Verdict::kOk, "no pool yet: no client has logged in");
  return findings;
}

Findings CheckExtension(const Facts& facts) {
  const v1::Extension& extension = facts.snapshot.extension();
  if (!extension.available()) {
    const std::string reason = extension.reason().empty() ? "not read yet" : extension.reason();
    return {{"extension", Verdict::kWarning, reason, AdviceOnExtension(facts, reason)}};
  }
  const std::string version = extension.summary().extension_version();
  const std::string found =
      fmt::format("pgvalet {}, read {} ago", version,
                  Elapsed(Between(extension.sampled_at(), facts.snapshot.time())));
  if (Older(version, PGVALET_EXTENSION_VERSION))
    return {{"extension", Verdict::kWarning,
             found + ", older than " PGVALET_EXTENSION_VERSION ", which this pgvalet comes with",
             "install the new one, restart PostgreSQL, and ALTER EXTENSION pgvalet UPDATE"}};
  if (!extension.reason().empty())
    return {{"extension", Verdict::kWarning, found + ": " + extension.reason(),
             "what is missing is not shown and raises no alert"}};
  return {{"extension", Verdict::kOk, found}};
}

Findings CheckMaxConnections(const Facts& facts, const std::optional<ServerLimits>& asked) {
  const v1::ServerSummary& summary = facts.snapshot.extension().summary();
  if (!asked && !facts.snapshot.extension().available())
    return {{"max_connections", Verdict::kSkipped,
             "unknown without the extension; name the server with --server-uri"}};
  const ServerLimits limits =
      asked ? *asked : ServerLimits{summary.max_connections(), summary.reserved_connections()};
  const std::int64_t room = limits.max_connections - limits.reserved_connections;
  const std::int64_t cap = facts.settings ? facts.settings->max_db_connections : 0;
  std::int64_t sum = 0;
  std::string arithmetic;
  for (const auto& [database, share] : SharesOf(facts.snapshot)) {
    const bool capped = cap > 0 && share.connections > cap;
    sum += capped ? cap : share.connections;
    arithmetic += arithmetic.empty() ? "" : " + ";
    arithmetic +=
        capped ? fmt::format("{} of database {} (max_db_connections)", cap, database) : share.terms;
  }
  if (arithmetic.empty()) arithmetic = "no pool";
  const bool fits = sum <= room;
  const std::string found =
      fmt::format("{} = {} server connections at most; max_connections {} - {} reserved = {}",
                  arithmetic, sum, limits.max_connections, limits.reserved_connections, room);
  if (fits) return {{"max_connections", Verdict::kOk, found}};
  return {{"max_connections", Verdict::kWarning, found + fmt::format(": {} too many", sum - room),
           "lower default_pool_size or pool_size, set max_db_connections, or raise max_connections "
           "(pgvalet advise shows the arithmetic); fine where the pools lead to several servers"}};
}

}  // namespace pgvalet::cli::doctor

#include "pool/server_restore.h"

#include "auth/crypto.h"
#include "pool/pool.h"
#include "wire/message_builder.h"

namespace pgvalet::pool {
namespace {

// set_config(text, text, boolean): src/include/catalog/pg_proc.dat of PostgreSQL.
constexpr std::uint32_t kSetConfigOid = 2078;

void NoteCatalog(ServerConnection& server, const wire::SessionReport& report) {
  PoolGroup& group = server.pool->group();
  if (report.relations) group.catalog_epoch().Note(*report.relations, false);
  if (!report.outdated) return;
  server.retire = true;
  if (*report.outdated > 0) {
    group.defaults_age().Note(*report.outdated, server.pool->loop().now());
  }
}

}  // namespace

bool AppendRestore(std::string& out, const ServerConnection& server,
                   const wire::SessionState& wanted, std::string_view sequences) {
  if (!server.HasExtension()) {
    const std::string sql = wire::RestoreSql(*server.carried, wanted);
    if (!sql.empty()) wire::AppendQuery(out, sql);
    return !sql.empty();
  }
  if (server.carried.get() == &wanted && sequences.empty()) return false;
  std::string value = server.reported->key() + " " + auth::ToBase64(wanted.text) + " ";
  if (!sequences.empty()) value += auth::ToBase64(sequences);
  wire::AppendFunctionCall(out, kSetConfigOid, {wire::kSessionParameter, value, "false"});
  return true;
}

std::optional<wire::SessionReport> TakeReport(ServerConnection& server, wire::StateStore& states,
                                              std::string_view value) {
  std::optional<wire::SessionReport> report = server.reported->Take(value);
  if (report && report->state) {
    if (std::optional<wire::StateRef> state = states.FromReport(*report->state)) {
      server.carried = std::move(*state);
    } else {
      server.retire = true;  // the restore of the next client would be a guess
    }
  }
  if (report && server.pool != nullptr) NoteCatalog(server, *report);
  return report;
}

io::Task<Result<QueryOutcome>> Restore(io::Channel& channel, ServerConnection& server,
                                       wire::StateStore& states, wire::StateRef wanted) {
  std::string messages;
  if (!AppendRestore(messages, server, *wanted)) co_return QueryOutcome();
  Result<QueryOutcome> outcome = co_await RunMessages(channel, std::move(messages));
  if (!outcome) co_return outcome.error();
  server.carried = std::move(wanted);
  for (const auto& [name, value] : outcome->parameters) {
    if (name == wire::kSessionParameter) TakeReport(server, states, value);
  }
  co_return std::move(outcome);
}

}  // namespace pgvalet::pool

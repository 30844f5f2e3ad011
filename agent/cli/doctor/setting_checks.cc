#include <fmt/format.h>

#include <string>

#include "cli/doctor/checks.h"
#include "cli/screen/format.h"

namespace pgvalet::cli::doctor {
namespace {

constexpr std::int64_t kLongIdleUs = 300'000'000;

void Warn(Findings& findings, std::string found, std::string advice) {
  Add(findings, "settings", Verdict::kWarning, std::move(found), std::move(advice));
}

// Is host:port, or unix:/path, of this machine alone?
bool StaysHere(const std::string& address) {
  if (address.empty() || address == "off" || address.rfind("unix:", 0) == 0) return true;
  std::string host = address.substr(0, address.rfind(':'));
  if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return IsLoopback(host);
}

void CheckLogin(Findings& findings, const config::Settings& settings) {
  if (IsLoopback(settings.listen_addr)) return;
  if (settings.auth_type == config::AuthType::kTrust)
    Add(findings, "settings", Verdict::kProblem,
        "auth_type = trust, and listen_addr is not only loopback: whoever reaches the port is let "
        "in "
        "as anybody",
        "set auth_type to scram-sha-256 with an auth_file or auth_query");
  if (settings.auth_type == config::AuthType::kPlain)
    Warn(
        findings,
        "auth_type = plain, and listen_addr is not only loopback: passwords can be read on the way",
        "set auth_type to scram-sha-256");
}

void CheckFaces(Findings& findings, const config::Settings& settings) {
  for (const auto& [key, address] : {std::pair("grpc_listen", &settings.grpc_listen),
                                     std::pair("http_listen", &settings.http_listen)}) {
    if (StaysHere(*address)) continue;
    if (settings.token_file.empty() && settings.api_tls_ca_file.empty())
      Warn(
          findings,
          fmt::format("{} = {} is not loopback, and token_file is empty: all numbers and names are "
                      "open to whoever reaches it",
                      key, *address),
          "set token_file, or listen on 127.0.0.1 or a Unix socket");
    if (settings.api_tls_cert_file.empty())
      Warn(
          findings,
          fmt::format("{} = {} is not loopback, and api_tls_cert_file is empty: tokens and answers "
                      "can be read on the way",
                      key, *address),
          "set api_tls_cert_file and api_tls_key_file, or listen on 127.0.0.1 or a Unix socket");
  }
}

void CheckWaits(Findings& findings, const config::Settings& settings) {
  if (settings.query_wait_timeout.count() == 0)
    Warn(findings, "query_wait_timeout = 0: clients wait for a server connection without end",
         "set it to what your clients can bear, such as 30s: they then hear why");
  if (settings.server_lifetime.count() == 0)
    Warn(findings, "server_lifetime = 0: every server connection is closed after one use",
         "set it to 1h, or leave it out");
}

void CheckPools(Findings& findings, const config::Settings& settings) {
  if (settings.min_pool_size > settings.default_pool_size)
    Warn(findings,
         fmt::format("min_pool_size = {} is more than default_pool_size = {}",
                     settings.min_pool_size, settings.default_pool_size),
         "lower it: a pool never has more than its size");
  if (settings.max_db_connections > 0 && settings.default_pool_size > settings.max_db_connections)
    Warn(findings,
         fmt::format("default_pool_size = {} is more than max_db_connections = {}: no pool reaches "
                     "its size",
                     settings.default_pool_size, settings.max_db_connections),
         "raise max_db_connections or lower default_pool_size");
  if (settings.pool_mode != config::PoolMode::kSession && settings.max_prepared_statements == 0)
    Warn(findings,
         "max_prepared_statements = 0: names of prepared statements do not follow their client "
         "outside session mode",
         "set it to 200, or switch prepared statements off in the drivers");
}

// Clients who keep a server connection of a session pool for themselves, and do not use it.
void CheckSessionPools(Findings& findings, const Facts& facts) {
  for (const v1::Pool& pool : facts.snapshot.pools()) {
    if (pool.pool_mode() != "session") continue;
    std::int64_t idle = 0;
    for (const v1::Client& client : facts.clients) {
      const v1::Connection& connection = client.connection();
      const bool of_pool =
          connection.database() == pool.database() && connection.user() == pool.user();
      if (of_pool && client.state() == v1::CLIENT_STATE_ACTIVE &&
          Between(connection.request_at(), facts.snapshot.time()) >= kLongIdleUs)
        ++idle;
    }
    if (idle == 0) continue;
    Warn(
        findings,
        fmt::format("pool_mode = session of {}: {} of {} server connections belong to clients that "
                    "sent nothing for {}",
                    NameOf(pool), idle, pool.now().pool_size(), Elapsed(kLongIdleUs)),
        "set pool_mode to transaction, or client_idle_timeout");
  }
}

void CheckWithoutExtension(Findings& findings, const Facts& facts) {
  if (facts.settings->without_extension != config::WithoutExtension::kIgnore) return;
  if (facts.snapshot.totals().server_connect_without_extension_count() == 0) return;
  Warn(findings,
       "without_extension = ignore, and there are servers without the extension: settings and "
       "temporary tables of one client are seen by the next",
       "install the extension, or set without_extension to pin");
}

}  // namespace

Findings CheckSettings(const Facts& facts) {
  Findings findings;
  const config::Settings& settings = *facts.settings;
  CheckLogin(findings, settings);
  CheckFaces(findings, settings);
  CheckWaits(findings, settings);
  CheckPools(findings, settings);
  CheckSessionPools(findings, facts);
  CheckWithoutExtension(findings, facts);
  if (findings.empty()) Add(findings, "settings", Verdict::kOk, "nothing that does harm is set");
  return findings;
}

}  // namespace pgvalet::cli::doctor

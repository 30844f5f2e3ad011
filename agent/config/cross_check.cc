#include "config/cross_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/login.h"

namespace pgvalet::config {
namespace {

// The console answers to these names.
bool IsConsoleDatabase(std::string_view name) { return name == "pgbouncer" || name == "pgvalet"; }

void Mistake(Draft& draft, std::string_view key, std::string_view text) {
  draft.report.Mistake(draft.PlaceOf(key), key, text);
}

void Warning(Draft& draft, std::string_view key, std::string_view text) {
  draft.report.Warning(draft.PlaceOf(key), key, text);
}

// PgBouncer starts with it, and so do we with its file.
void ForNothing(Draft& draft, const Place& place, std::string_view key, std::string_view text) {
  if (draft.settings.pgbouncer_defaults) return draft.report.Warning(place, key, text);
  draft.report.Mistake(place, key, text);
}

bool AnyDatabase(const Settings& settings, bool (*holds)(const DatabaseSettings&)) {
  return std::any_of(settings.databases.begin(), settings.databases.end(),
                     [&](const auto& entry) { return holds(entry.second); });
}

void CheckReachable(Draft& draft) {
  const Settings& settings = draft.settings;
  if (settings.databases.empty()) {
    ForNothing(draft, {}, "databases",
               "nothing to connect to; give a URI (pgvaletd postgres://user@host/db) or "
               "a file with [databases] (pgvaletd --config pgvalet.toml)");
  }
  if (settings.listen_addr.empty() && settings.unix_socket_dir.empty()) {
    Mistake(draft, "listen_addr", "nobody can connect: unix_socket_dir is empty too");
  }
  if (!settings.grpc_listen.empty() && settings.grpc_listen == settings.http_listen) {
    Mistake(draft, "grpc_listen", "expected another address than http_listen");
  }
}

void CheckLogin(Draft& draft) {
  const Settings& settings = draft.settings;
  const bool database_auth_user = AnyDatabase(
      settings, [](const DatabaseSettings& database) { return !database.auth_user.empty(); });
  const bool can_query = !settings.auth_user.empty() || database_auth_user;
  if (draft.IsSet("auth_query") && !can_query) {
    Warning(draft, "auth_query", "never runs: auth_user is not set");
  }
  if (settings.auth_type == AuthType::kTrust) {
    const bool wide =
        !std::all_of(settings.listen_addr.begin(), settings.listen_addr.end(), IsLoopback);
    if (wide) {
      Warning(draft, "auth_type",
              "trust: whoever reaches listen_addr can log in without a password");
    }
    if (settings.trust_unknown_users || !settings.inline_users.empty()) return;
  }
  // Another mistake may be the reason that nobody is left; one sentence is enough then.
  if (settings.auth_file.empty() && settings.inline_users.empty() && !can_query &&
      !settings.databases.empty() && !draft.report.has_mistakes()) {
    ForNothing(
        draft, draft.PlaceOf("auth_type"), "auth_type",
        fmt::format("nobody could log in with {}: set auth_file, or auth_user for auth_query, "
                    "or give a URI with user and password",
                    AuthTypeName(settings.auth_type)));
  }
}

void CheckGlobalPools(Draft& draft) {
  const Settings& settings = draft.settings;
  if (settings.min_pool_size > settings.default_pool_size) {
    ForNothing(draft, draft.PlaceOf("min_pool_size"), "min_pool_size",
               fmt::format("expected at most default_pool_size ({}), not {}",
                           settings.default_pool_size, settings.min_pool_size));
  }
  if (settings.reserve_pool_size > 0 && settings.reserve_pool_timeout == Duration::zero()) {
    Warning(draft, "reserve_pool_size", "never used: reserve_pool_timeout is 0");
  }
  if (settings.max_db_connections > 0 && settings.default_pool_size > settings.max_db_connections) {
    Warning(draft, "default_pool_size",
            fmt::format("never reached: max_db_connections is {}", settings.max_db_connections));
  }
}

// Whether a lease from this database would come back to our own listener.
bool IsOurselves(const HostPort& address, const Settings& settings) {
  if (address.port != settings.listen_port || !IsLoopback(address.host)) return false;
  return std::any_of(
      settings.listen_addr.begin(), settings.listen_addr.end(), [](const std::string& listen) {
        return IsLoopback(listen) || listen == "*" || listen == "0.0.0.0" || listen == "::";
      });
}

void CheckDatabase(const DatabaseSettings& database, Draft& draft) {
  const Settings& settings = draft.settings;
  const std::string key = "databases." + database.name;
  if (database.name.empty() || IsConsoleDatabase(database.name)) {
    Mistake(draft, key, "expected another name: this one is reserved");
  }
  const int pool_size = database.pool_size.value_or(settings.default_pool_size);
  const int min_pool_size = database.min_pool_size.value_or(settings.min_pool_size);
  if (min_pool_size > pool_size && (database.pool_size || database.min_pool_size)) {
    ForNothing(draft, draft.PlaceOf(key), key,
               fmt::format("expected min_pool_size ({}) to be at most pool_size ({})",
                           min_pool_size, pool_size));
  }
  for (const HostPort& address : database.hosts) {
    if (IsOurselves(address, settings)) {
      Mistake(draft, key,
              fmt::format("host and port are those of pgvalet itself (listen_port {})",
                          settings.listen_port));
    }
  }
  if (!database.auth_query.empty() && database.auth_user.empty() && settings.auth_user.empty()) {
    Warning(draft, key, "auth_query never runs: auth_user is not set");
  }
  if (!database.auth_dbname.empty() && !settings.databases.contains(database.auth_dbname) &&
      !settings.databases.contains("*")) {
    Mistake(draft, key, "auth_dbname: expected the name of an entry of [databases]");
  }
}

void CheckAuthDbname(Draft& draft) {
  const Settings& settings = draft.settings;
  if (settings.auth_dbname.empty() || settings.databases.empty()) return;
  if (settings.FindDatabase(settings.auth_dbname) == nullptr) {
    Mistake(draft, "auth_dbname", "expected the name of an entry of [databases]");
  }
}

void CheckTls(Draft& draft) {
  const Settings& settings = draft.settings;
  if (settings.api_tls_cert_file.empty() != settings.api_tls_key_file.empty()) {
    const bool lacks_key = settings.api_tls_key_file.empty();
    Mistake(draft, lacks_key ? "api_tls_cert_file" : "api_tls_key_file",
            fmt::format("expected {}, too: a certificate and its key belong together",
                        lacks_key ? "api_tls_key_file" : "api_tls_cert_file"));
  }
  if (!settings.api_tls_ca_file.empty() && settings.api_tls_cert_file.empty()) {
    Mistake(draft, "api_tls_ca_file", "expected api_tls_cert_file, too: there is no TLS without");
  }
}

}  // namespace

void CrossCheck(Draft& draft) {
  CheckReachable(draft);
  CheckAuthDbname(draft);
  CheckGlobalPools(draft);
  for (const auto& [name, database] : draft.settings.databases) CheckDatabase(database, draft);
  CheckLogin(draft);
  CheckTls(draft);
}

}  // namespace pgvalet::config

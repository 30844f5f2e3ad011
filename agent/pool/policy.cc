#include "pool/policy.h"

#include <algorithm>
#include <optional>

namespace pgvalet::pool {
namespace {

// The first that has a value.
template <typename T>
T Pick(const std::optional<T>& narrow, const std::optional<T>& wide, const T& fallback) {
  if (narrow) return *narrow;
  if (wide) return *wide;
  return fallback;
}

// The size that an administrator gave the pool, or all of the database; null: none did.
const int* FindResized(const config::Settings& settings, const PoolKey& key) {
  for (const std::string& user : {key.user, std::string()}) {
    const auto found = settings.resized_pools.find({key.database, user});
    if (found != settings.resized_pools.end()) return &found->second;
  }
  return nullptr;
}

std::vector<std::pair<std::string, std::string>> StartupOf(const config::DatabaseSettings& database,
                                                           const std::string& agent_name,
                                                           config::PoolMode mode) {
  std::vector<std::pair<std::string, std::string>> startup;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) startup.emplace_back(name, value);
  };
  add("application_name", database.application_name);
  add("client_encoding", database.client_encoding);
  add("DateStyle", database.datestyle);
  add("TimeZone", database.timezone);
  add("pgvalet.agent", agent_name);
  add("pgvalet.agent_pool_mode", config::PoolModeName(mode));
  return startup;
}

}  // namespace

PoolPolicy PolicyFor(const config::Settings& settings, const PoolKey& key,
                     const std::string& agent_name) {
  static const config::UserSettings kNoUser;
  const config::DatabaseSettings& database = *settings.FindDatabase(key.database);
  const config::UserSettings* found = settings.FindUser(key.user);
  const config::UserSettings& user = found != nullptr ? *found : kNoUser;
  const std::optional<int> no_int;
  const std::optional<Duration> no_time;

  PoolPolicy policy;
  policy.mode = Pick(user.pool_mode, database.pool_mode, settings.pool_mode);
  policy.pool_size = Pick(user.pool_size, database.pool_size, settings.default_pool_size);
  if (const int* resized = FindResized(settings, key)) policy.pool_size = *resized;
  policy.min_pool_size = Pick(no_int, database.min_pool_size, settings.min_pool_size);
  policy.reserve_pool_size =
      Pick(user.reserve_pool_size, database.reserve_pool_size, settings.reserve_pool_size);
  policy.reserve_pool_timeout = settings.reserve_pool_timeout;
  policy.max_db_connections =
      Pick(no_int, database.max_db_connections, settings.max_db_connections);
  policy.max_user_connections =
      Pick(user.max_user_connections, no_int, settings.max_user_connections);
  policy.server_round_robin = settings.server_round_robin;
  policy.max_prepared_statements = settings.max_prepared_statements;
  policy.max_pinned =
      std::max(1, (policy.pool_size * settings.max_pinned_share_thousandths + 500) / 1000);
  policy.pin_limit_action = settings.pin_limit_action;
  policy.pin_warn_after = settings.pin_warn_after;
  policy.without_extension = settings.without_extension;
  policy.query_wait_timeout =
      Pick(user.query_wait_timeout, database.query_wait_timeout, settings.query_wait_timeout);
  policy.server_lifetime = Pick(no_time, database.server_lifetime, settings.server_lifetime);
  policy.server_idle_timeout = settings.server_idle_timeout;
  policy.server_connect_timeout = settings.server_connect_timeout;
  policy.server_login_retry = settings.server_login_retry;
  policy.server_check_delay = settings.server_check_delay;
  policy.server_check_query = settings.server_check_query;
  policy.server_reset_query = settings.server_reset_query;
  policy.reset_always = settings.server_reset_query_always;
  policy.client_idle_timeout =
      Pick(user.client_idle_timeout, no_time, settings.client_idle_timeout);
  policy.idle_transaction_timeout =
      Pick(user.idle_transaction_timeout, no_time, settings.idle_transaction_timeout);
  policy.query_timeout = Pick(user.query_timeout, no_time, settings.query_timeout);
  policy.transaction_timeout =
      Pick(user.transaction_timeout, no_time, settings.transaction_timeout);
  policy.hosts = database.hosts;
  policy.dbname = database.dbname.empty() ? key.database : database.dbname;
  policy.connect_query = database.connect_query;
  policy.startup = StartupOf(database, agent_name, policy.mode);
  return policy;
}

Time PoolPolicy::ServerDeadline(Time now) const {
  // Without a limit it is still not for ever: somebody may wait for it.
  return now + (server_connect_timeout > Duration::zero() ? server_connect_timeout
                                                          : Duration(std::chrono::hours(1)));
}

}  // namespace pgvalet::pool

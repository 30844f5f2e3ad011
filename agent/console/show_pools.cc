// SHOW POOLS, DATABASES, USERS and LISTS.
#include <algorithm>
#include <map>
#include <set>

#include "console/show.h"

namespace pgvalet::console {
namespace {

using wire::ColumnType;

constexpr const char* kConsole = "pgbouncer";

std::string Mode(config::PoolMode mode) { return config::PoolModeName(mode); }

// Clients of the console now; this one is among them.
std::int64_t ConsoleClients(const std::vector<control::ClientInfo>& clients) {
  return std::count_if(clients.begin(), clients.end(), [](const control::ClientInfo& client) {
    return session::IsConsoleDatabase(client.database);
  });
}

std::vector<wire::Field> PoolRow(const stats::PoolSnapshot& pool) {
  const stats::PoolGauges& now = pool.now;
  return {pool.database, pool.user,
          // Idle ones are active to PgBouncer: they do not wait.
          Number(now.clients_active + now.clients_idle), Number(now.clients_waiting), Number(0),
          Number(0), Number(now.servers_active), Number(0), Number(now.servers_canceling),
          Number(now.servers_idle), Number(0), Number(now.servers_testing),
          Number(now.servers_connecting), Number(now.longest_wait_us / 1'000'000),
          Number(now.longest_wait_us % 1'000'000), pool.pool_mode, "disable"};
}

// Server and client connections by some name.
struct Use {
  std::int64_t servers = 0;
  std::int64_t clients = 0;
};

std::map<std::string, Use> UseBy(const stats::SnapshotPtr& snapshot,
                                 std::string stats::PoolSnapshot::*name) {
  std::map<std::string, Use> uses;
  if (!snapshot) return uses;
  for (const stats::PoolSnapshot& pool : snapshot->pools) {
    Use& use = uses[pool.*name];
    const stats::PoolGauges& now = pool.now;
    use.servers += now.servers_active + now.servers_idle + now.servers_connecting +
                   now.servers_testing + now.servers_canceling;
    use.clients += now.clients_active + now.clients_idle + now.clients_waiting;
  }
  return uses;
}

// "a,b" of the hosts; nothing for a Unix socket.
wire::Field Hosts(const std::vector<config::HostPort>& hosts) {
  std::string text;
  for (const config::HostPort& host : hosts) {
    if (host.host.starts_with('/') || host.host.starts_with('@')) return std::nullopt;
    text += (text.empty() ? "" : ",") + host.host;
  }
  return text;
}

std::vector<wire::Field> DatabaseRow(const config::DatabaseSettings& database, const Use& use,
                                     const Scene& scene, const config::Settings& settings) {
  const control::DatabaseSwitches switches = scene.door.SwitchesOf(database.name);
  const auto seconds = [](Duration time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time).count();
  };
  return {database.name,
          Hosts(database.hosts),
          Number(database.hosts.empty() ? 5432 : database.hosts.front().port),
          database.dbname.empty() ? database.name : database.dbname,
          database.user.empty() ? wire::Field() : database.user,
          Number(database.pool_size.value_or(settings.default_pool_size)),
          Number(database.min_pool_size.value_or(settings.min_pool_size)),
          Number(database.reserve_pool_size.value_or(settings.reserve_pool_size)),
          Number(seconds(database.server_lifetime.value_or(settings.server_lifetime))),
          database.pool_mode ? wire::Field(Mode(*database.pool_mode)) : wire::Field(),
          "disable",
          Number(database.max_db_connections.value_or(settings.max_db_connections)),
          Number(use.servers),
          Number(0),
          Number(use.clients),
          Flag(switches.paused || scene.door.IsPaused()),
          Flag(switches.disabled)};
}

}  // namespace

Result<Table> ShowPools(const Scene& scene) {
  Result<std::vector<control::ClientInfo>> clients = scene.door.ListClients();
  if (!clients) return clients.error();
  Table table;
  table.columns = {{"database", ColumnType::kText}, {"user", ColumnType::kText}};
  for (const std::string_view name :
       {"cl_active", "cl_waiting", "cl_active_cancel_req", "cl_waiting_cancel_req", "sv_active",
        "sv_active_cancel", "sv_being_canceled", "sv_idle", "sv_used", "sv_tested", "sv_login",
        "maxwait", "maxwait_us"}) {
    table.columns.push_back({name, ColumnType::kInt4});
  }
  table.columns.push_back({"pool_mode", ColumnType::kText});
  table.columns.push_back({"load_balance_hosts", ColumnType::kText});
  if (const stats::SnapshotPtr snapshot = scene.door.Snapshot()) {
    for (const stats::PoolSnapshot& pool : snapshot->pools) table.rows.push_back(PoolRow(pool));
  }
  stats::PoolSnapshot console;
  console.database = console.user = kConsole;
  console.pool_mode = Mode(config::PoolMode::kStatement);
  console.now.clients_active = ConsoleClients(*clients);
  table.rows.push_back(PoolRow(console));
  return table;
}

Result<Table> ShowDatabases(const Scene& scene) {
  Table table;
  table.columns = {{"name", ColumnType::kText},
                   {"host", ColumnType::kText},
                   {"port", ColumnType::kInt4},
                   {"database", ColumnType::kText},
                   {"force_user", ColumnType::kText},
                   {"pool_size", ColumnType::kInt4},
                   {"min_pool_size", ColumnType::kInt4},
                   {"reserve_pool_size", ColumnType::kInt4},
                   {"server_lifetime", ColumnType::kInt4},
                   {"pool_mode", ColumnType::kText},
                   {"load_balance_hosts", ColumnType::kText},
                   {"max_connections", ColumnType::kInt4},
                   {"current_connections", ColumnType::kInt4},
                   {"max_client_connections", ColumnType::kInt4},
                   {"current_client_connections", ColumnType::kInt4},
                   {"paused", ColumnType::kInt4},
                   {"disabled", ColumnType::kInt4}};
  const config::SettingsPtr settings = scene.door.Settings().settings;
  std::map<std::string, Use> uses = UseBy(scene.door.Snapshot(), &stats::PoolSnapshot::database);
  // Those that "*" stands for appear as they are used.
  std::set<std::string> names;
  for (const auto& [name, database] : settings->databases) {
    if (name != "*") names.insert(name);
  }
  for (const auto& [name, use] : uses) names.insert(name);
  for (const std::string& name : names) {
    const config::DatabaseSettings* found = settings->FindDatabase(name);
    if (found == nullptr) continue;
    config::DatabaseSettings database = *found;
    database.name = name;
    table.rows.push_back(DatabaseRow(database, uses[name], scene, *settings));
  }
  config::DatabaseSettings console;
  console.name = console.user = kConsole;
  console.hosts = {{"/", settings->listen_port}};
  console.pool_mode = config::PoolMode::kStatement;
  console.pool_size = 2;
  console.min_pool_size = console.reserve_pool_size = console.max_db_connections = 0;
  table.rows.push_back(DatabaseRow(console, {}, scene, *settings));
  return table;
}

Result<Table> ShowUsers(const Scene& scene) {
  Table table;
  table.columns = {{"name", ColumnType::kText},
                   {"pool_size", ColumnType::kText},
                   {"reserve_pool_size", ColumnType::kText},
                   {"pool_mode", ColumnType::kText},
                   {"max_user_connections", ColumnType::kInt4},
                   {"current_connections", ColumnType::kInt4},
                   {"max_user_client_connections", ColumnType::kInt4},
                   {"current_client_connections", ColumnType::kInt4}};
  const config::SettingsPtr settings = scene.door.Settings().settings;
  std::map<std::string, Use> uses = UseBy(scene.door.Snapshot(), &stats::PoolSnapshot::user);
  std::set<std::string> names;
  for (const auto& [name, user] : settings->users) names.insert(name);
  for (const auto& [name, use] : uses) names.insert(name);
  const auto text = [](const std::optional<int>& size) {
    return size ? std::to_string(*size) : std::string();
  };
  for (const std::string& name : names) {
    static const config::UserSettings kNothing;
    const config::UserSettings* found = settings->FindUser(name);
    const config::UserSettings& user = found != nullptr ? *found : kNothing;
    table.rows.push_back(
        {name, text(user.pool_size), text(user.reserve_pool_size),
         user.pool_mode ? Mode(*user.pool_mode) : std::string(),
         Number(user.max_user_connections.value_or(settings->max_user_connections)),
         Number(uses[name].servers), Number(0), Number(uses[name].clients)});
  }
  return table;
}

Result<Table> ShowLists(const Scene& scene) {
  const config::SettingsPtr settings = scene.door.Settings().settings;
  const stats::SnapshotPtr snapshot = scene.door.Snapshot();
  stats::PoolGauges sum;
  std::int64_t pools = 0;
  if (snapshot) {
    pools = static_cast<std::int64_t>(snapshot->pools.size());
    for (const stats::PoolSnapshot& pool : snapshot->pools) {
      sum.clients_active +=
          pool.now.clients_active + pool.now.clients_idle + pool.now.clients_waiting;
      sum.servers_idle += pool.now.servers_idle;
      sum.servers_active += pool.now.servers_active + pool.now.servers_testing +
                            pool.now.servers_canceling + pool.now.servers_connecting;
    }
  }
  const auto users = UseBy(snapshot, &stats::PoolSnapshot::user);
  Table table;
  table.columns = {{"list", ColumnType::kText}, {"items", ColumnType::kInt4}};
  const auto put = [&table](const char* name, std::int64_t items) {
    table.rows.push_back({name, Number(items)});
  };
  put("databases", static_cast<std::int64_t>(settings->databases.size()) + 1);
  put("users", static_cast<std::int64_t>(std::max(users.size(), settings->users.size())));
  put("peers", 0);
  put("pools", pools + 1);
  put("peer_pools", 0);
  put("free_clients", 0);
  put("used_clients", sum.clients_active);
  put("login_clients", snapshot ? snapshot->agent.clients_logging_in : 0);
  put("free_servers", sum.servers_idle);
  put("used_servers", sum.servers_active);
  for (const char* name : {"dns_names", "dns_zones", "dns_queries", "dns_pending"}) put(name, 0);
  return table;
}

}  // namespace pgvalet::console

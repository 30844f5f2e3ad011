#include "config/table.h"

#include "config/pgbouncer_keys.h"
#include "config/table_row.h"

namespace pgvalet::config {
namespace {

using S = Settings;
using D = DatabaseSettings;
using U = UserSettings;

void AddProcess(Table& table) {
  constexpr std::string_view kGroup = "Process";
  const Table rows = {
      Row<&S::cores>(kGroup, "cores", Integer(0, 1024), kRestart,
                     "Threads with an event loop each; 0: as many as the machine has."),
      Row<&S::core_busy_percent>(kGroup, "core_busy_percent", Integer(0, 100), kRestart,
                                 "Busy share of a core's time, in percent, above which one more of "
                                 "the cores is taken into "
                                 "use; 0: all are in use from the start."),
      Row<&S::listen_addr>(
          kGroup, "listen_addr", List(), kRestart,
          "Host names or addresses for clients over TCP; `*`: all; empty: no TCP."),
      Row<&S::listen_port>(kGroup, "listen_port", Integer(1, 65535), kRestart,
                           "TCP port for clients; also part of the Unix socket's name."),
      Row<&S::unix_socket_dir>(
          kGroup, "unix_socket_dir", Text(), kRestart,
          "Directory of the Unix socket for clients; `@name`: abstract; empty: none."),
      Row<&S::unix_socket_mode>(kGroup, "unix_socket_mode",
                                Rule{.kind = Kind::kFileMode, .max = 0777}, kRestart,
                                "Permission bits of the Unix socket."),
      Row<&S::unix_socket_group>(kGroup, "unix_socket_group", Text(), kRestart,
                                 "Group of the Unix socket, by name; empty: the process's."),
      Row<&S::listen_backlog>(kGroup, "listen_backlog", Integer(1, 65535), kRestart,
                              "Connections the kernel queues before they are accepted."),
      Row<&S::so_reuseport>(kGroup, "so_reuseport", Boolean(), kRestart,
                            "Let several processes listen on the same TCP port, each with a "
                            "unix_socket_dir of its own: to replace one by the next."),
      Row<&S::pidfile>(kGroup, "pidfile", Text(), kRestart,
                       "File that holds the process number; empty: none."),
      Row<&S::user>(kGroup, "user", Text(), kRestart,
                    "Operating system user to become when started as root; empty: none."),
      Row<&S::grpc_listen>(kGroup, "grpc_listen", Address(), kRestart,
                           "Where gRPC statistics are served; empty or `off`: not at all."),
      Row<&S::http_listen>(
          kGroup, "http_listen", Address(), kRestart,
          "Where the dashboard, `/metrics` and all else of HTTP is served; empty or `off`: not at "
          "all."),
      Row<&S::token_file>(
          kGroup, "token_file", Text(), kReload,
          "File of bearer tokens for gRPC and HTTP, a line `read <token>` or `control "
          "<token>` each; empty: nobody may control the agent that way."),
      Row<&S::api_tls_cert_file>(
          kGroup, "api_tls_cert_file", Text(), kRestart,
          "Certificate (PEM) with which gRPC and HTTP answer over TCP, read again with each "
          "reload; empty: they are not encrypted."),
      Row<&S::api_tls_key_file>(kGroup, "api_tls_key_file", Text(), kRestart,
                                "Key of that certificate, without a passphrase; only its owner may "
                                "read it."),
      Row<&S::api_tls_ca_file>(
          kGroup, "api_tls_ca_file", Text(), kRestart,
          "Authorities of which everybody who calls gRPC and HTTP over TCP must show a "
          "certificate; empty: nobody needs one."),
      Row<&S::shutdown_timeout>(
          kGroup, "shutdown_timeout", Seconds(), kReload,
          "How long a drain (SIGTERM) waits for clients before it ends them; 0: without limit."),
  };
  table.insert(table.end(), rows.begin(), rows.end());
}

void AddLog(Table& table) {
  constexpr std::string_view kGroup = "Log";
  const Table rows = {
      Row<&S::logfile>(kGroup, "logfile", Text(), kReload, "File for log lines; empty: stderr."),
      Row<&S::log_level>(kGroup, "log_level", LogLevels(), kReload,
                         "Least important kind of line that is written."),
      Row<&S::log_format>(kGroup, "log_format", Words({"pgvalet", "pgbouncer"}), kReload,
                          "How a line looks and tells of clients and servers: our own way, or "
                          "PgBouncer's, which its tools read."),
      Row<&S::log_stats>(kGroup, "log_stats", Boolean(), kReload,
                         "Log the averages of each stats_period."),
      Row<&S::syslog>(kGroup, "syslog", Boolean(), kReload,
                      "Send lines to syslog too; then stderr gets none."),
      Row<&S::syslog_ident>(kGroup, "syslog_ident", Text(), kReload, "Name of the process there."),
      Row<&S::syslog_facility>(kGroup, "syslog_facility",
                               Words({"auth", "authpriv", "daemon", "user", "local0", "local1",
                                      "local2", "local3", "local4", "local5", "local6", "local7"}),
                               kReload, "Facility of the lines there."),
      Row<&S::log_connections>(kGroup, "log_connections", Boolean(), kReload,
                               "Log each client's login."),
      Row<&S::log_disconnections>(kGroup, "log_disconnections", Boolean(), kReload,
                                  "Log each client's end, with the reason."),
      Row<&S::log_pooler_errors>(kGroup, "log_pooler_errors", Boolean(), kReload,
                                 "Log errors that the agent itself sends to clients."),
  };
  table.insert(table.end(), rows.begin(), rows.end());
}

void AddPools(Table& table) {
  constexpr std::string_view kGroup = "Pools";
  const Table rows = {
      Row<&S::pool_mode>(kGroup, "pool_mode", PoolModes(), kReload,
                         "When a server connection goes back to its pool: at the end of the "
                         "session, of each transaction or of each statement."),
      Row<&S::max_client_conn>(kGroup, "max_client_conn", Integer(1, 10000000), kReload,
                               "Most client connections at one time."),
      Row<&S::default_pool_size>(kGroup, "default_pool_size", Count(1), kReload,
                                 "Most server connections of one database and user."),
      Row<&S::min_pool_size>(kGroup, "min_pool_size", Count(0), kReload,
                             "Server connections kept open even when idle."),
      Row<&S::reserve_pool_size>(kGroup, "reserve_pool_size", Count(0), kReload,
                                 "Further server connections when clients wait too long."),
      Row<&S::reserve_pool_timeout>(
          kGroup, "reserve_pool_timeout", Seconds(), kReload,
          "How long a client waits before the reserve is used; 0: the reserve is off."),
      Row<&S::max_db_connections>(kGroup, "max_db_connections", Count(0), kReload,
                                  "Most server connections of one database; 0: no limit."),
      Row<&S::max_user_connections>(kGroup, "max_user_connections", Count(0), kReload,
                                    "Most server connections of one user; 0: no limit."),
      Row<&S::server_round_robin>(
          kGroup, "server_round_robin", Boolean(), kReload,
          "Use the server connection that was idle longest, not the last one used."),
      Row<&S::max_pinned_share_thousandths>(
          kGroup, "max_pinned_share", Share(), kReload,
          "Share of a pool's server connections that clients may hold between transactions "
          "because of temporary tables, session locks and the like; at least one."),
      Row<&S::pin_limit_action>(
          kGroup, "pin_limit_action", Words({"wait", "error"}), kReload,
          "Beyond max_pinned_share: clients that have held one before wait for their turn, or the "
          "client that would hold one more is ended (53300)."),
      Row<&S::pin_warn_after>(
          kGroup, "pin_warn_after", Seconds(), kReload,
          "A client that holds a server connection so long between transactions is logged; 0: "
          "never."),
      Row<&S::without_extension>(
          kGroup, "without_extension", Words({"pin", "warn", "ignore"}), kReload,
          "On servers without the extension, what a client that makes session state gets which "
          "cannot be followed: its server connection until it leaves, a warning, or nothing."),
      Row<&S::max_prepared_statements>(
          kGroup, "max_prepared_statements", Count(0), kReload,
          "Named prepared statements kept on each server connection in transaction and "
          "statement mode; 0: names are passed on unchanged."),
      Row<&S::ignore_startup_parameters>(
          kGroup, "ignore_startup_parameters", List(), kReload,
          "Startup parameters of clients that are dropped silently."),
      Row<&S::application_name_add_host>(
          kGroup, "application_name_add_host", Boolean(), kReload,
          "Append the client's address and port to its application_name."),
  };
  table.insert(table.end(), rows.begin(), rows.end());
}

void AddLogin(Table& table) {
  constexpr std::string_view kGroup = "Login";
  const Table rows = {
      Row<&S::auth_type>(kGroup, "auth_type", AuthTypes(), kReload,
                         "How clients prove who they are (`password` is the same as `plain`)."),
      Row<&S::trust_unknown_users>(
          kGroup, "trust_unknown_users", Boolean(), kReload,
          "With auth_type trust, let in also who is neither in auth_file nor found by "
          "auth_query; false is PgBouncer's rule."),
      Row<&S::auth_file>(kGroup, "auth_file", Text(), kReload,
                         "File of users and secrets in PgBouncer's userlist format."),
      Row<&S::auth_user>(kGroup, "auth_user", Text(), kReload,
                         "Who runs auth_query for users that auth_file does not name; empty: "
                         "auth_query is off."),
      Row<&S::auth_query>(kGroup, "auth_query", Text(), kReload,
                          "Query that gives name and secret of user `$1`."),
      Row<&S::auth_dbname>(kGroup, "auth_dbname", Text(), kReload,
                           "Entry of [databases] where auth_query runs; empty: the one the client "
                           "asks for."),
  };
  table.insert(table.end(), rows.begin(), rows.end());
}

void AddConsole(Table& table) {
  constexpr std::string_view kGroup = "Console";
  const Table rows = {
      Row<&S::admin_users>(kGroup, "admin_users", List(), kReload,
                           "Users of the databases pgbouncer and pgvalet who may use the whole "
                           "console."),
      Row<&S::stats_users>(kGroup, "stats_users", List(), kReload,
                           "Users of these who may look, and change nothing."),
      Row<&S::pgbouncer_version>(kGroup, "pgbouncer_version", Text(), kReload,
                                 "Version of PgBouncer that the console says it is compatible "
                                 "with: tools choose their columns by it."),
  };
  table.insert(table.end(), rows.begin(), rows.end());
}

void AddServer(Table& table) {
  constexpr std::string_view kGroup = "Server connections";
  const Table rows = {
      Row<&S::server_reset_query>(
          kGroup, "server_reset_query", Text(), kReload,
          "Run when a server connection goes back to its pool in session mode; empty: none."),
      Row<&S::server_reset_query_always>(kGroup, "server_reset_query_always", Boolean(), kReload,
                                         "Run server_reset_query in every pool mode."),
      Row<&S::server_check_query>(
          kGroup, "server_check_query", Text(), kReload,
          "Run to see whether an idle server connection still works; empty: never."),
      Row<&S::server_check_delay>(
          kGroup, "server_check_delay", Seconds(), kReload,
          "A server connection used more recently than this is not checked."),
      Row<&S::server_lifetime>(
          kGroup, "server_lifetime", Seconds(), kReload,
          "A server connection older than this is closed when it is free; 0: after one use."),
      Row<&S::server_idle_timeout>(
          kGroup, "server_idle_timeout", Seconds(), kReload,
          "A server connection idle for longer than this is closed; 0: never."),
      Row<&S::server_connect_timeout>(
          kGroup, "server_connect_timeout", Seconds(), kReload,
          "Longest time for connecting and logging in to a server; 0: no limit."),
      Row<&S::server_login_retry>(kGroup, "server_login_retry", Seconds(), kReload,
                                  "Pause after a failed connect or login to a server."),
  };
  table.insert(table.end(), rows.begin(), rows.end());
}

void AddTimeouts(Table& table) {
  constexpr std::string_view kGroup = "Timeouts of clients";
  const Table rows = {
      Row<&S::client_login_timeout>(kGroup, "client_login_timeout", Seconds(), kReload,
                                    "A client must have logged in within this time; 0: off."),
      Row<&S::client_idle_timeout>(kGroup, "client_idle_timeout", Seconds(), kReload,
                                   "A client idle for longer than this is closed; 0: off."),
      Row<&S::query_wait_timeout>(
          kGroup, "query_wait_timeout", Seconds(), kReload,
          "Longest wait for a free server connection; the client gets an error; 0: off."),
      Row<&S::cancel_wait_timeout>(
          kGroup, "cancel_wait_timeout", Seconds(), kReload,
          "Longest wait of a cancel request for a connection to the server; 0: off."),
      Row<&S::idle_transaction_timeout>(
          kGroup, "idle_transaction_timeout", Seconds(), kReload,
          "A client idle inside a transaction for longer than this is closed; 0: off."),
      Row<&S::query_timeout>(kGroup, "query_timeout", Seconds(), kReload,
                             "A query that runs longer is ended with its client; 0: off."),
      Row<&S::transaction_timeout>(kGroup, "transaction_timeout", Seconds(), kReload,
                                   "A transaction that is open longer is ended with its client; "
                                   "0: off."),
      Row<&S::suspend_timeout>(
          kGroup, "suspend_timeout", Seconds(), kReload,
          "How long SUSPEND waits for a client or server to take what is sent to it; then the "
          "client is ended."),
  };
  table.insert(table.end(), rows.begin(), rows.end());
}

void AddNetwork(Table& table) {
  constexpr std::string_view kGroup = "Network";
  const Table rows = {
      Row<&S::tcp_keepalive>(kGroup, "tcp_keepalive", Boolean(), kReload,
                             "TCP keepalive on connections of clients and servers."),
      Row<&S::tcp_keepcnt>(
          kGroup, "tcp_keepcnt", Integer(0, 127), kReload,
          "Probes without an answer until a peer counts as gone; 0: the system's."),
      Row<&S::tcp_keepidle>(kGroup, "tcp_keepidle", Seconds(0, 32767 * kSecond), kReload,
                            "Silence before the first probe; 0: the system's."),
      Row<&S::tcp_keepintvl>(kGroup, "tcp_keepintvl", Seconds(0, 32767 * kSecond), kReload,
                             "Time between probes; 0: the system's."),
      Row<&S::max_packet_size>(kGroup, "max_packet_size",
                               Rule{.kind = Kind::kSize, .min = 1024, .max = 2147483647}, kReload,
                               "Largest protocol message that is passed on."),
  };
  table.insert(table.end(), rows.begin(), rows.end());
}

void AddStatistics(Table& table) {
  constexpr std::string_view kGroup = "Statistics";
  const Table rows = {
      Row<&S::snapshot_interval>(kGroup, "snapshot_interval", Seconds(kSecond / 10, 3600 * kSecond),
                                 kReload, "Time between two snapshots of all numbers."),
      Row<&S::stats_period>(kGroup, "stats_period", Seconds(kSecond, 86400 * kSecond), kReload,
                            "What the averages of the console are taken over."),
      Row<&S::sampler_interval>(kGroup, "sampler_interval", Seconds(0, 3600 * kSecond), kReload,
                                "Time between two readings of the extension; 0: it is not read."),
      Row<&S::sampler_dbname>(kGroup, "sampler_dbname", Text(), kReload,
                              "Database on the server that has the extension; empty: that of the "
                              "first entry of [databases] by name that is not `*`."),
      Row<&S::sampler_user>(kGroup, "sampler_user", Text(), kReload,
                            "Who reads the extension; empty: auth_user, else the entry's user."),
      Row<&S::sampler_password>(kGroup, "sampler_password", Text(), kReload,
                                "Password of sampler_user.", Show::kSecret),
  };
  table.insert(table.end(), rows.begin(), rows.end());
}

Table BuildSettings() {
  Table table;
  AddProcess(table);
  AddLog(table);
  AddPools(table);
  AddLogin(table);
  AddConsole(table);
  AddServer(table);
  AddTimeouts(table);
  AddNetwork(table);
  AddStatistics(table);
  AddAlerts(table);
  return table;
}

std::vector<Setting<DatabaseSettings>> BuildDatabase() {
  constexpr std::string_view kGroup = "Databases";
  return {
      Row<&D::dbname>(kGroup, "dbname", Text(), kReload,
                      "Name on the server; empty: the name the client asked for."),
      Row<&D::user>(kGroup, "user", Text(), kReload,
                    "User of all server connections; empty: the client's."),
      Row<&D::password>(kGroup, "password", Text(), kReload,
                        "Password for the server; empty: what the client's login gave.",
                        Show::kSecret),
      Row<&D::auth_user>(kGroup, "auth_user", Text(), kReload, "Instead of the global auth_user."),
      Row<&D::auth_query>(kGroup, "auth_query", Text(), kReload,
                          "Instead of the global auth_query."),
      Row<&D::auth_dbname>(kGroup, "auth_dbname", Text(), kReload,
                           "Instead of the global auth_dbname."),
      Row<&D::connect_query>(kGroup, "connect_query", Text(), kReload,
                             "Run on every new server connection before its first use."),
      Row<&D::application_name>(kGroup, "application_name", Text(), kReload,
                                "application_name of clients that send none."),
      Row<&D::client_encoding>(kGroup, "client_encoding", Text(), kReload,
                               "client_encoding of server connections."),
      Row<&D::datestyle>(kGroup, "datestyle", Text(), kReload, "DateStyle of server connections."),
      Row<&D::timezone>(kGroup, "timezone", Text(), kReload, "TimeZone of server connections."),
      Row<&D::pool_mode>(kGroup, "pool_mode", PoolModes(), kReload,
                         "Instead of the global pool_mode."),
      Row<&D::pool_size>(kGroup, "pool_size", Count(1), kReload, "Instead of default_pool_size."),
      Row<&D::min_pool_size>(kGroup, "min_pool_size", Count(0), kReload,
                             "Instead of the global min_pool_size."),
      Row<&D::reserve_pool_size>(kGroup, "reserve_pool_size", Count(0), kReload,
                                 "Instead of the global reserve_pool_size."),
      Row<&D::max_db_connections>(kGroup, "max_db_connections", Count(0), kReload,
                                  "Instead of the global max_db_connections."),
      Row<&D::server_lifetime>(kGroup, "server_lifetime", Seconds(), kReload,
                               "Instead of the global server_lifetime."),
      Row<&D::query_wait_timeout>(kGroup, "query_wait_timeout", Seconds(), kReload,
                                  "Instead of the global query_wait_timeout."),
  };
}

std::vector<Setting<UserSettings>> BuildUser() {
  constexpr std::string_view kGroup = "Users";
  return {
      Row<&U::pool_mode>(kGroup, "pool_mode", PoolModes(), kReload,
                         "Instead of the database's or global pool_mode."),
      Row<&U::pool_size>(kGroup, "pool_size", Count(1), kReload,
                         "Instead of the database's pool_size or default_pool_size."),
      Row<&U::reserve_pool_size>(kGroup, "reserve_pool_size", Count(0), kReload,
                                 "Instead of the database's or global reserve_pool_size."),
      Row<&U::max_user_connections>(kGroup, "max_user_connections", Count(0), kReload,
                                    "Instead of the global max_user_connections."),
      Row<&U::query_timeout>(kGroup, "query_timeout", Seconds(), kReload,
                             "Instead of the global query_timeout."),
      Row<&U::query_wait_timeout>(kGroup, "query_wait_timeout", Seconds(), kReload,
                                  "Instead of the database's or global query_wait_timeout."),
      Row<&U::idle_transaction_timeout>(kGroup, "idle_transaction_timeout", Seconds(), kReload,
                                        "Instead of the global idle_transaction_timeout."),
      Row<&U::transaction_timeout>(kGroup, "transaction_timeout", Seconds(), kReload,
                                   "Instead of the global transaction_timeout."),
      Row<&U::client_idle_timeout>(kGroup, "client_idle_timeout", Seconds(), kReload,
                                   "Instead of the global client_idle_timeout."),
  };
}

}  // namespace

const std::vector<Setting<Settings>>& SettingsTable() {
  static const std::vector<Setting<Settings>> table = BuildSettings();
  return table;
}

const std::vector<Setting<DatabaseSettings>>& DatabaseTable() {
  static const std::vector<Setting<DatabaseSettings>> table = BuildDatabase();
  return table;
}

const std::vector<Setting<UserSettings>>& UserTable() {
  static const std::vector<Setting<UserSettings>> table = BuildUser();
  return table;
}

std::string DefaultText(const Setting<Settings>& setting) {
  static const Settings defaults;
  return ValueText(setting.rule, *setting.get(defaults));
}

Settings DefaultsOf(const Settings& settings) {
  Settings defaults;
  if (!settings.pgbouncer_defaults) return defaults;
  for (const auto& [key, text] : PgBouncerDefaults()) {
    const Setting<Settings>* setting = FindSetting(SettingsTable(), key);
    const Result<Value> value = ReadValue(setting->rule, std::string(text), false);
    if (value) setting->set(defaults, *value);  // a test reads them all
  }
  return defaults;
}

}  // namespace pgvalet::config

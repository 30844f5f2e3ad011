// Settings: everything a user can set, as one immutable value.
//
// Made by config/load.h from the command line, the environment, a TOML file and
// defaults; a reload makes a new one.  Shared between threads as
// std::shared_ptr<const Settings>; nobody changes one after it is published.
// Keys that PgBouncer has keep its name and meaning (docs/configuration.md).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace pgvalet::config {

enum class PoolMode : std::uint8_t { kSession, kTransaction, kStatement };
enum class AuthType : std::uint8_t { kTrust, kPlain, kMd5, kScramSha256 };
// What happens beyond max_pinned_share.
enum class PinLimitAction : std::uint8_t { kWait, kError };
// What session state gets that cannot be followed, on servers without the extension.
enum class WithoutExtension : std::uint8_t { kPin, kWarn, kIgnore };

// How a line of the log looks, and in whose words it tells of clients and servers.
enum class LogFormat : std::uint8_t { kPgvalet, kPgBouncer };

// "session", "transaction", "statement".
const char* PoolModeName(PoolMode mode);
// "trust", "plain" (also written "password"), "md5", "scram-sha-256".
const char* AuthTypeName(AuthType type);
// "pin", "warn", "ignore".
const char* WithoutExtensionName(WithoutExtension choice);

// One server address of a database.
struct HostPort {
  std::string
      host;  // name, IPv4, IPv6, or a directory that holds a Unix socket (begins with / or @)
  std::uint16_t port = 5432;
};

// One entry of [databases]; "*" is the fallback, whose dbname is empty: the name
// the client asked for is used.  Optional members fall back to the global setting.
struct DatabaseSettings {
  std::string name;             // as clients ask for it
  std::vector<HostPort> hosts;  // tried in order
  std::string dbname;           // on the server; empty: same as asked for
  std::string user;             // forced server user; empty: the client's
  std::string password;         // for the forced user, or for all when user is empty
  std::string auth_user;
  std::string auth_query;
  std::string auth_dbname;
  std::string connect_query;     // run on every new server connection
  std::string application_name;  // for server connections, when the client sends none
  std::string client_encoding;
  std::string datestyle;
  std::string timezone;
  std::optional<PoolMode> pool_mode;
  std::optional<int> pool_size;
  std::optional<int> min_pool_size;
  std::optional<int> reserve_pool_size;
  std::optional<int> max_db_connections;
  std::optional<Duration> server_lifetime;
  std::optional<Duration> query_wait_timeout;
};

// One entry of [users].
struct UserSettings {
  std::string name;
  std::optional<PoolMode> pool_mode;
  std::optional<int> pool_size;
  std::optional<int> reserve_pool_size;
  std::optional<int> max_user_connections;
  std::optional<Duration> query_timeout;
  std::optional<Duration> query_wait_timeout;
  std::optional<Duration> idle_transaction_timeout;
  std::optional<Duration> transaction_timeout;
  std::optional<Duration> client_idle_timeout;
};

struct Settings {
  // Process.  All of these need a restart.
  int cores = 0;  // event loops; 0: as many as the machine has
  // Percent of a core's time above which one more is taken into use; 0: all from the start.
  int core_busy_percent = 75;
  std::vector<std::string> listen_addr{"localhost"};  // names or addresses, "*" all; empty: no TCP
  std::uint16_t listen_port = 6543;
  std::string unix_socket_dir = "/tmp";  // empty: no Unix socket; "@x" abstract
  std::uint32_t unix_socket_mode = 0777;
  std::string unix_socket_group;  // empty: the process's
  int listen_backlog = 4096;
  bool so_reuseport = false;
  std::string pidfile;
  std::string user;                            // of the operating system; empty: stay who we are
  std::string grpc_listen = "127.0.0.1:6544";  // host:port or unix:/path, empty: off
  std::string http_listen = "127.0.0.1:6545";  // host:port or unix:/path, empty: off
  std::string token_file;                      // bearer tokens (api/tokens.h); empty: none
  std::string api_tls_cert_file;               // of gRPC and HTTP, PEM; empty: no TLS there
  std::string api_tls_key_file;
  std::string api_tls_ca_file;  // who calls must have a certificate of it; empty: need have none

  // Log.
  std::string logfile;  // empty: stderr
  std::string log_level = "info";
  LogFormat log_format = LogFormat::kPgvalet;
  bool log_stats = false;
  bool syslog = false;
  std::string syslog_ident = "pgvaletd";
  std::string syslog_facility = "daemon";
  bool log_connections = true;
  bool log_disconnections = true;
  bool log_pooler_errors = true;

  // Pools.
  PoolMode pool_mode = PoolMode::kTransaction;
  int max_client_conn = 10000;
  int default_pool_size = 20;
  int min_pool_size = 0;
  int reserve_pool_size = 0;
  Duration reserve_pool_timeout = std::chrono::seconds(5);
  int max_db_connections = 0;    // server connections of one database, 0: no limit
  int max_user_connections = 0;  // server connections of one user, 0: no limit
  bool server_round_robin = false;
  int max_pinned_share_thousandths = 800;
  PinLimitAction pin_limit_action = PinLimitAction::kWait;
  Duration pin_warn_after = std::chrono::seconds(60);
  WithoutExtension without_extension = WithoutExtension::kPin;
  int max_prepared_statements = 200;  // per server connection; 0: names pass unchanged
  // JDBC and lib/pq always send this one, and it changes nothing since PostgreSQL 12.
  std::vector<std::string> ignore_startup_parameters{"extra_float_digits"};
  bool application_name_add_host = false;

  // Login.
  AuthType auth_type = AuthType::kScramSha256;
  bool trust_unknown_users = true;  // with trust: also who is not in auth_file
  std::string auth_file;            // users in PgBouncer's userlist format
  std::string auth_user;            // who runs auth_query; empty: auth_query is off
  // $1 is the user's name.  Everything is qualified: a search_path cannot redirect it.
  std::string auth_query =
      "SELECT rolname, CASE WHEN rolvaliduntil OPERATOR(pg_catalog.<) pg_catalog.now() "
      "THEN NULL ELSE rolpassword END FROM pg_catalog.pg_authid "
      "WHERE rolname OPERATOR(pg_catalog.=) $1 AND rolcanlogin";
  std::string auth_dbname;

  // Console.
  std::vector<std::string> admin_users;  // may use the whole console
  std::vector<std::string> stats_users;  // may look, and change nothing
  // What the console says it is compatible with: tools choose their columns by it.
  std::string pgbouncer_version = "1.25.2";

  // Server connections.
  std::string server_reset_query = "DISCARD ALL";
  bool server_reset_query_always = false;
  std::string server_check_query = ";";
  Duration server_check_delay = std::chrono::seconds(30);
  Duration server_lifetime = std::chrono::seconds(3600);
  Duration server_idle_timeout = std::chrono::seconds(600);
  Duration server_connect_timeout = std::chrono::seconds(15);
  Duration server_login_retry = std::chrono::seconds(15);

  // Timeouts of clients; zero: off.
  Duration client_login_timeout = std::chrono::seconds(60);
  Duration client_idle_timeout{0};
  Duration query_wait_timeout = std::chrono::seconds(120);
  Duration cancel_wait_timeout = std::chrono::seconds(10);
  Duration idle_transaction_timeout{0};
  Duration query_timeout{0};
  Duration transaction_timeout{0};
  Duration suspend_timeout = std::chrono::seconds(10);
  Duration shutdown_timeout{0};  // how long SIGTERM waits for clients; 0: without limit

  // Network.
  bool tcp_keepalive = true;
  int tcp_keepcnt = 0;
  Duration tcp_keepidle{0};
  Duration tcp_keepintvl{0};
  std::uint32_t max_packet_size = 2147483647;  // bytes, largest message accepted

  // Statistics.
  Duration snapshot_interval = std::chrono::seconds(1);
  Duration stats_period = std::chrono::seconds(60);     // of the console's averages
  Duration sampler_interval = std::chrono::seconds(1);  // zero: the extension is not read
  std::string
      sampler_dbname;  // database (server side) the extension lives in; empty: first of [databases]
  std::string sampler_user;  // empty: auth_user, else user of that database
  std::string sampler_password;

  // Alerts (advice/); zero or false: the rule is off.
  Duration alert_on_after = std::chrono::seconds(5);
  Duration alert_off_after = std::chrono::seconds(30);
  int alert_utilization_percent = 80;
  int alert_waiting_clients = 10;
  Duration alert_wait_time = std::chrono::seconds(1);
  int alert_query_wait_timeouts = 1;
  int alert_failed_connections = 1;
  bool alert_server_down = true;
  Duration alert_pin_age = std::chrono::seconds(300);
  int alert_pinned_percent = 50;
  int alert_listening_losses = 1;
  int alert_clients_percent = 80;
  int alert_refused_clients = 1;
  int alert_login_failures = 20;
  int alert_open_files_percent = 80;
  int alert_core_busy_percent = 95;
  Duration alert_paused_after = std::chrono::seconds(300);
  int alert_server_connections_percent = 80;
  Duration alert_idle_in_transaction = std::chrono::seconds(60);
  bool alert_extension = true;
  bool alert_advice = true;

  // Read from PgBouncer's own file, so that its defaults hold (config/pgbouncer_keys.h).
  bool pgbouncer_defaults = false;

  std::map<std::string, DatabaseSettings, std::less<>> databases;
  std::map<std::string, UserSettings, std::less<>> users;
  // Users known besides auth_file: name to password.  Filled from a connection URI only
  // (docs/decisions/0140).  When it is not empty, auth_type trust lets in only these users
  // and those of auth_file; an empty password is for trust.
  std::map<std::string, std::string, std::less<>> inline_users;

  // No setting: sizes that an administrator has given to pools until the next reload, by database
  // and user; of an empty user that of every pool of the database.
  std::map<std::pair<std::string, std::string>, int> resized_pools;

  // Where a client that asks for `name` goes: its entry, else "*", else null.
  const DatabaseSettings* FindDatabase(std::string_view name) const;
  // Null when [users] has no such entry.
  const UserSettings* FindUser(std::string_view name) const;
};

using SettingsPtr = std::shared_ptr<const Settings>;

}  // namespace pgvalet::config

#include "config/pgbouncer_keys.h"

#include <algorithm>
#include <string>

namespace pgvalet::config {
namespace {

using enum Taken;
using Keys = std::vector<PgBouncerKey>;

const std::vector<std::string_view> kTlsOptional{"", "disable", "allow", "prefer"};
const std::vector<std::string_view> kUnset{""};
const std::vector<std::string_view> kOff{"", "false", "0", "off", "no"};

constexpr std::string_view kNoTls = "there is no TLS yet, so it has nothing to act on";
constexpr std::string_view kTlsWanted =
    "there is no TLS yet: disable, allow and prefer go on without it, what requires it is refused";
constexpr std::string_view kNames =
    "names are resolved by the operating system, which has its own "
    "cache and rules";
constexpr std::string_view kMethod = "that login method is not there";
constexpr std::string_view kClientLimit =
    "clients of one database or user are not counted apart; "
    "max_client_conn holds for all of them";

void Add(Keys& keys, const Keys& more) { keys.insert(keys.end(), more.begin(), more.end()); }

Keys Generic() {
  return {
      {"logfile"},
      {"pidfile"},
      {"listen_addr"},
      {"listen_port"},
      {"unix_socket_dir"},
      {"unix_socket_mode"},
      {"unix_socket_group"},
      {"user"},
      {"pool_mode", kDiffers,
       "in transaction and statement mode session state follows the client "
       "(docs/pooling.md), so less breaks"},
      {"max_client_conn"},
      {"default_pool_size"},
      {"min_pool_size"},
      {"reserve_pool_size"},
      {"reserve_pool_timeout"},
      {"max_db_connections"},
      {"max_db_client_connections", kIgnored, kClientLimit},
      {"max_user_connections"},
      {"max_user_client_connections", kIgnored, kClientLimit},
      {"server_round_robin"},
      {"track_extra_parameters", kIgnored,
       "settings of a session are all followed, not only those "
       "that are listed"},
      {"ignore_startup_parameters", kDiffers,
       "startup parameters that are not listed are settings "
       "of the session, and are not refused"},
      {"peer_id", kIgnored, "one process uses all cores, so there are no peers"},
      {"disable_pqexec", kRefused, "the simple protocol cannot be switched off", kOff},
      {"application_name_add_host"},
      {"conffile", kIgnored, "a reload reads the file that was named at the start"},
      {"service_name", kIgnored, "there is no Windows service"},
      {"job_name", kIgnored, "there is no Windows service"},
      {"stats_period", kDiffers, "at least 1 second"},
      {"max_prepared_statements"},
      {"scram_iterations", kIgnored, "secrets in clear get a SCRAM verifier of 4096 iterations"},
  };
}

Keys Login() {
  return {
      {"auth_type", kDiffers,
       "trust, plain, md5 and scram-sha-256; any is trust where every "
       "database has a user; cert, hba, ldap, pam and peer are refused"},
      {"auth_hba_file", kRefused, kMethod, kUnset},
      {"auth_ident_file", kRefused, kMethod, kUnset},
      {"auth_file"},
      {"auth_user"},
      {"auth_query"},
      {"auth_dbname"},
      {"auth_ldap_options", kRefused, kMethod, kUnset},
  };
}

Keys Log() {
  return {
      {"syslog"},
      {"syslog_ident"},
      {"syslog_facility"},
      {"log_connections"},
      {"log_disconnections"},
      {"log_pooler_errors"},
      {"log_stats"},
      {"verbose", kDiffers, "1 is log_level debug, 2 and more is trace"},
      {"admin_users"},
      {"stats_users"},
  };
}

Keys Checks() {
  return {
      {"server_reset_query"},
      {"server_reset_query_always"},
      {"server_check_delay"},
      {"server_check_query", kDiffers, "<empty> is a query of a semicolon"},
      {"server_fast_close", kIgnored,
       "server connections in session mode are replaced when their "
       "client leaves"},
      {"server_lifetime"},
      {"server_idle_timeout"},
      {"server_connect_timeout"},
      {"server_login_retry"},
      {"client_login_timeout"},
      {"autodb_idle_timeout", kIgnored,
       "a database that only * stands for costs nothing when it is "
       "not in use"},
      {"pool_idle_timeout", kIgnored, "pools that are not in use go by themselves"},
      {"dns_max_ttl", kIgnored, kNames},
      {"dns_nxdomain_ttl", kIgnored, kNames},
      {"dns_zone_check_period", kIgnored, kNames},
      {"resolv_conf", kIgnored, kNames},
      {"query_wait_notify", kIgnored,
       "a client that waits is told nothing before "
       "query_wait_timeout"},
      {"login_notify_message", kIgnored, "clients get no notice after login"},
  };
}

Keys Tls() {
  return {
      {"client_tls_sslmode", kRefused, kTlsWanted, kTlsOptional},
      {"client_tls_key_file", kIgnored, kNoTls},
      {"client_tls_cert_file", kIgnored, kNoTls},
      {"client_tls_ca_file", kIgnored, kNoTls},
      {"client_tls_protocols", kIgnored, kNoTls},
      {"client_tls_ciphers", kIgnored, kNoTls},
      {"client_tls13_ciphers", kIgnored, kNoTls},
      {"client_tls_ecdhcurve", kIgnored, kNoTls},
      {"client_tls_dheparams", kIgnored, kNoTls},
      {"server_tls_sslmode", kRefused, kTlsWanted, kTlsOptional},
      {"server_tls_ca_file", kIgnored, kNoTls},
      {"server_tls_key_file", kIgnored, kNoTls},
      {"server_tls_cert_file", kIgnored, kNoTls},
      {"server_tls_protocols", kIgnored, kNoTls},
      {"server_tls_ciphers", kIgnored, kNoTls},
      {"server_tls13_ciphers", kIgnored, kNoTls},
  };
}

Keys Timeouts() {
  return {
      {"query_timeout"},       {"query_wait_timeout"},       {"cancel_wait_timeout"},
      {"client_idle_timeout"}, {"idle_transaction_timeout"}, {"transaction_timeout"},
      {"suspend_timeout"},
  };
}

Keys Network() {
  return {
      {"pkt_buf", kIgnored, "buffers are shared and sized by themselves"},
      {"max_packet_size"},
      {"listen_backlog"},
      {"sbuf_loopcnt", kIgnored,
       "every client reads one buffer at a time, so none starves another"},
      {"so_reuseport", kDiffers,
       "not needed to use all cores; cancel requests find their session only in their own process"},
      {"tcp_defer_accept", kIgnored, "a connection is accepted as it comes"},
      {"tcp_socket_buffer", kIgnored, "the operating system sizes the buffers of sockets"},
      {"tcp_keepalive"},
      {"tcp_keepcnt"},
      {"tcp_keepidle"},
      {"tcp_keepintvl"},
      {"tcp_user_timeout", kIgnored, "a peer that is gone is found by tcp_keepalive"},
  };
}

std::string WrittenText(const Written& value) {
  if (const std::string* text = std::get_if<std::string>(&value)) return *text;
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  return "?";  // in no list of harmless values
}

}  // namespace

const std::vector<PgBouncerKey>& PgBouncerSettings() {
  static const Keys keys = [] {
    Keys all;
    for (const auto& group : {Generic(), Login(), Log(), Checks(), Tls(), Timeouts(), Network()}) {
      Add(all, group);
    }
    return all;
  }();
  return keys;
}

const std::vector<PgBouncerKey>& PgBouncerDatabaseKeys() {
  static const Keys keys = {
      {"dbname"},
      {"host", kDiffers, "several hosts are tried in order; none is the socket in unix_socket_dir"},
      {"port"},
      {"user"},
      {"password"},
      {"auth_user"},
      {"auth_query"},
      {"auth_dbname"},
      {"pool_size"},
      {"min_pool_size"},
      {"reserve_pool_size"},
      {"reserve_pool", kDiffers, "the old name of reserve_pool_size"},
      {"connect_query"},
      {"pool_mode"},
      {"query_wait_timeout"},
      {"load_balance_hosts", kIgnored, "several hosts are tried in order"},
      {"max_db_connections"},
      {"max_db_client_connections", kIgnored, kClientLimit},
      {"server_lifetime"},
      {"client_encoding"},
      {"datestyle"},
      {"timezone"},
      {"application_name"},
  };
  return keys;
}

const std::vector<PgBouncerKey>& PgBouncerUserKeys() {
  static const Keys keys = {
      {"pool_size"},
      {"reserve_pool_size"},
      {"pool_mode"},
      {"max_user_connections"},
      {"max_user_client_connections", kIgnored, kClientLimit},
      {"query_timeout"},
      {"query_wait_timeout"},
      {"idle_transaction_timeout"},
      {"transaction_timeout"},
      {"client_idle_timeout"},
  };
  return keys;
}

const PgBouncerKey* FindPgBouncerKey(const std::vector<PgBouncerKey>& keys, std::string_view key) {
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const PgBouncerKey& row) { return row.key == key; });
  return found == keys.end() ? nullptr : &*found;
}

bool IsHarmless(const PgBouncerKey& key, const Written& value) {
  const std::string text = WrittenText(value);
  return key.taken != kRefused ||
         std::find(key.harmless.begin(), key.harmless.end(), text) != key.harmless.end();
}

std::string_view TakenName(Taken taken) {
  switch (taken) {
    case kSame:
      return "same";
    case kDiffers:
      return "differs";
    case kIgnored:
      return "ignored";
    case kRefused:
      return "refused";
  }
  return "";
}

const std::vector<PgBouncerDefault>& PgBouncerDefaults() {
  static const std::vector<PgBouncerDefault> defaults = {
      {"listen_addr", ""},
      {"listen_port", "6432"},
      {"listen_backlog", "128"},
      {"pool_mode", "session"},
      {"max_client_conn", "100"},
      {"ignore_startup_parameters", ""},
      {"auth_type", "md5"},
      {"log_format", "pgbouncer"},
      {"log_stats", "true"},
      {"syslog_ident", "pgbouncer"},
      {"trust_unknown_users", "false"},
      // It opens no port that its file does not name, and many may run on one machine.
      {"grpc_listen", ""},
      {"http_listen", ""},
      // Nor does it connect to a server for itself.
      {"sampler_interval", "0"},
  };
  return defaults;
}

}  // namespace pgvalet::config

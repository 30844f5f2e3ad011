#include "config/unsupported.h"

#include <algorithm>

namespace pgvalet::config {
namespace {

struct Unsupported {
  std::string_view key;
  std::string_view instead{};  // what to use, for the report
  // Values that may be ignored; empty: any.
  std::vector<std::string_view> harmless{};
};

const std::vector<std::string_view> kTlsOptional{"disable", "allow", "prefer"};
const std::vector<std::string_view> kUnset{""};
const std::vector<std::string_view> kOff{"false", "0", "off", "no"};

const std::vector<Unsupported>& TopKeys() {
  static const std::vector<Unsupported> keys = {
      {"auth_hba_file", "", kUnset},
      {"auth_ident_file", "", kUnset},
      {"auth_ldap_options", "", kUnset},
      {"autodb_idle_timeout"},
      {"client_tls_ca_file"},
      {"client_tls_cert_file"},
      {"client_tls_ciphers"},
      {"client_tls13_ciphers"},
      {"client_tls_dheparams"},
      {"client_tls_ecdhcurve"},
      {"client_tls_key_file"},
      {"client_tls_protocols"},
      {"client_tls_sslmode", "", kTlsOptional},
      {"conffile", "use --config"},
      {"disable_pqexec", "", kOff},
      {"dns_max_ttl"},
      {"dns_nxdomain_ttl"},
      {"dns_zone_check_period"},
      {"job_name"},
      {"log_stats", "statistics are on http_listen and grpc_listen"},
      {"login_notify_message"},
      {"max_db_client_connections"},
      {"max_user_client_connections"},
      {"peer_id"},
      {"pkt_buf"},
      {"pool_idle_timeout"},
      {"query_wait_notify"},
      {"resolv_conf"},
      {"sbuf_loopcnt"},
      {"scram_iterations"},
      {"server_fast_close"},
      {"server_tls_ca_file"},
      {"server_tls_cert_file"},
      {"server_tls_ciphers"},
      {"server_tls13_ciphers"},
      {"server_tls_key_file"},
      {"server_tls_protocols"},
      {"server_tls_sslmode", "", kTlsOptional},
      {"service_name"},
      {"so_reuseport", "one process uses all cores, see cores"},
      {"suspend_timeout"},
      {"syslog", "use logfile or stderr"},
      {"syslog_facility"},
      {"syslog_ident"},
      {"tcp_defer_accept"},
      {"tcp_socket_buffer"},
      {"tcp_user_timeout"},
      {"track_extra_parameters"},
      {"unix_socket_group"},
      {"user", "start the agent as that operating system user", kUnset},
      {"verbose", "use log_level"},
  };
  return keys;
}

const std::vector<Unsupported>& DatabaseKeys() {
  static const std::vector<Unsupported> keys = {
      // PgBouncer's.
      {"load_balance_hosts"},
      {"max_db_client_connections"},
      // libpq's.
      {"channel_binding", "", {"disable", "prefer"}},
      {"connect_timeout", "use server_connect_timeout"},
      {"fallback_application_name", "use application_name"},
      {"gssencmode", "", {"disable", "prefer"}},
      {"gssdelegation"},
      {"gsslib"},
      {"keepalives", "use tcp_keepalive"},
      {"keepalives_count", "use tcp_keepcnt"},
      {"keepalives_idle", "use tcp_keepidle"},
      {"keepalives_interval", "use tcp_keepintvl"},
      {"krbsrvname"},
      {"options", "use connect_query", kUnset},
      {"passfile", "use password_file", kUnset},
      {"replication", "", kOff},
      {"require_auth", "", kUnset},
      {"requirepeer", "", kUnset},
      {"service", "write its keys here", kUnset},
      {"ssl_max_protocol_version"},
      {"ssl_min_protocol_version"},
      {"sslcert"},
      {"sslcompression"},
      {"sslcrl"},
      {"sslcrldir"},
      {"sslkey"},
      {"sslmode", "", kTlsOptional},
      {"sslnegotiation", "", {"postgres"}},
      {"sslpassword"},
      {"sslrootcert"},
      {"sslsni"},
      {"target_session_attrs", "", {"any"}},
      {"tcp_user_timeout"},
  };
  return keys;
}

const std::vector<Unsupported>& UserKeys() {
  static const std::vector<Unsupported> keys = {{"max_user_client_connections"}};
  return keys;
}

const std::vector<Unsupported>& KeysOf(Section section) {
  switch (section) {
    case Section::kTop:
      return TopKeys();
    case Section::kDatabase:
      return DatabaseKeys();
    case Section::kUser:
      break;
  }
  return UserKeys();
}

std::string WrittenText(const Written& value) {
  if (const std::string* text = std::get_if<std::string>(&value)) return *text;
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  return "?";  // in no list of harmless values
}

bool IsHarmless(const Unsupported& known, const Written& value) {
  if (known.harmless.empty()) return true;
  const std::string text = WrittenText(value);
  return std::find(known.harmless.begin(), known.harmless.end(), text) != known.harmless.end();
}

}  // namespace

bool ReportUnsupported(Section section, std::string_view key, const Written& value,
                       const Place& place, std::string_view shown_key, Report& report) {
  const std::vector<Unsupported>& keys = KeysOf(section);
  const auto known = std::find_if(keys.begin(), keys.end(),
                                  [&](const Unsupported& entry) { return entry.key == key; });
  if (known == keys.end()) return false;
  const std::string hint = known->instead.empty() ? "" : "; " + std::string(known->instead);
  if (IsHarmless(*known, value)) {
    report.Warning(place, shown_key, "not supported yet, ignored" + hint);
  } else {
    report.Mistake(place, shown_key,
                   "not supported yet, and cannot be ignored without changing what was asked for; "
                   "take it out" +
                       hint);
  }
  return true;
}

std::vector<std::string_view> UnsupportedKeys(Section section) {
  std::vector<std::string_view> keys;
  for (const Unsupported& known : KeysOf(section)) keys.push_back(known.key);
  return keys;
}

}  // namespace pgvalet::config

// The few commands a hub has for its server.
#pragma once

#include <string>
#include <string_view>

namespace pgvalet::notify {

// For any bytes but zero.  Server encodings have no byte of a longer character that is a quote.
inline std::string QuoteIdentifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char byte : name) {
    if (byte == '"') quoted += '"';
    quoted += byte;
  }
  return quoted += '"';
}

inline std::string ListenSql(std::string_view channel) {
  return "LISTEN " + QuoteIdentifier(channel);
}
inline std::string UnlistenSql(std::string_view channel) {
  return "UNLISTEN " + QuoteIdentifier(channel);
}
// `token` holds nothing that needs quoting.
inline std::string NotifySql(std::string_view channel, std::string_view token) {
  std::string sql = "NOTIFY " + QuoteIdentifier(channel);
  return sql.append(", '").append(token).append("';");
}

// What makes a session one of a hub, on every version of the server: bytes as they are, no waiting
// for the disk because of a marker, no end because it was quiet.
inline constexpr std::string_view kSetupSql =
    "SELECT pg_catalog.set_config(s.name, CASE s.name"
    " WHEN 'client_encoding' THEN pg_catalog.current_setting('server_encoding')"
    " WHEN 'synchronous_commit' THEN 'off' ELSE '0' END, false)"
    " FROM pg_catalog.pg_settings s WHERE s.name IN ('client_encoding', 'synchronous_commit',"
    " 'idle_session_timeout', 'statement_timeout', 'lock_timeout', 'transaction_timeout')";

}  // namespace pgvalet::notify

#include "config/unsupported.h"

#include <algorithm>

#include "config/pgbouncer_keys.h"

namespace pgvalet::config {
namespace {

// Of libpq; those of PgBouncer are in pgbouncer_keys.h.
struct LibpqKey {
  std::string_view key;
  std::string_view instead{};  // what to use, for the report
  // Values that may be ignored; empty: any.
  std::vector<std::string_view> harmless{};
};

const std::vector<std::string_view> kTlsOptional{"disable", "allow", "prefer"};
const std::vector<std::string_view> kUnset{""};
const std::vector<std::string_view> kOff{"false", "0", "off", "no"};

const std::vector<LibpqKey>& LibpqKeys() {
  static const std::vector<LibpqKey> keys = {
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

const std::vector<PgBouncerKey>& PgBouncerKeysOf(Section section) {
  switch (section) {
    case Section::kTop:
      return PgBouncerSettings();
    case Section::kDatabase:
      return PgBouncerDatabaseKeys();
    case Section::kUser:
      break;
  }
  return PgBouncerUserKeys();
}

// What the value asks for is what happens anyway.
bool AsksForNothing(const Written& value) {
  const std::string* text = std::get_if<std::string>(&value);
  return text != nullptr && (text->empty() || *text == "disable" || *text == "0");
}

void ReportPgBouncerKey(const PgBouncerKey& known, const Written& value, const Place& place,
                        std::string_view shown_key, Report& report) {
  const std::string note(known.note);
  if (!IsHarmless(known, value)) {
    return report.Mistake(
        place, shown_key,
        "cannot be ignored without changing what was asked for: " + note + "; take it out");
  }
  if (known.taken == Taken::kRefused && AsksForNothing(value)) return;
  report.Warning(place, shown_key, "ignored: " + note);
}

bool IsHarmless(const LibpqKey& known, const Written& value) {
  if (known.harmless.empty()) return true;
  const std::string* text = std::get_if<std::string>(&value);
  const bool* flag = std::get_if<bool>(&value);
  const std::string_view word = text != nullptr             ? std::string_view(*text)
                                : flag != nullptr && !*flag ? "false"
                                                            : "?";
  return std::find(known.harmless.begin(), known.harmless.end(), word) != known.harmless.end();
}

bool ReportLibpqKey(std::string_view key, const Written& value, const Place& place,
                    std::string_view shown_key, Report& report) {
  const std::vector<LibpqKey>& keys = LibpqKeys();
  const auto known = std::find_if(keys.begin(), keys.end(),
                                  [&](const LibpqKey& entry) { return entry.key == key; });
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

}  // namespace

bool ReportUnsupported(Section section, std::string_view key, const Written& value,
                       const Place& place, std::string_view shown_key, Report& report) {
  if (const PgBouncerKey* known = FindPgBouncerKey(PgBouncerKeysOf(section), key)) {
    ReportPgBouncerKey(*known, value, place, shown_key, report);
    return true;
  }
  return section == Section::kDatabase && ReportLibpqKey(key, value, place, shown_key, report);
}

std::vector<std::string_view> UnsupportedKeys(Section section) {
  std::vector<std::string_view> keys;
  for (const PgBouncerKey& known : PgBouncerKeysOf(section)) {
    if (known.taken == Taken::kIgnored || known.taken == Taken::kRefused) keys.push_back(known.key);
  }
  if (section != Section::kDatabase) return keys;
  for (const LibpqKey& known : LibpqKeys()) keys.push_back(known.key);
  return keys;
}

}  // namespace pgvalet::config

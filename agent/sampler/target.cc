#include "sampler/target.h"

#include <algorithm>
#include <chrono>

namespace pgvalet::sampler {
namespace {

using config::DatabaseSettings;
using config::Settings;
using namespace std::chrono_literals;

constexpr Duration kDefaultConnectTimeout = 15s;
constexpr const char* kDefaultDatabase = "postgres";

std::string NameOnServer(const DatabaseSettings& entry) {
  if (!entry.dbname.empty()) return entry.dbname;
  return entry.name == "*" ? std::string() : entry.name;
}

// The entry that leads to `dbname`, or the first when `dbname` is empty; "*" when
// no other fits; null when there is no entry at all.
const DatabaseSettings* FindEntry(const Settings& settings, const std::string& dbname) {
  for (const auto& [name, entry] : settings.databases) {
    if (name == "*") continue;
    if (dbname.empty() || NameOnServer(entry) == dbname) return &entry;
  }
  const auto fallback = settings.databases.find("*");
  if (fallback != settings.databases.end()) return &fallback->second;
  // A database that no entry names lives, most likely, where the others do.
  return settings.databases.empty() ? nullptr : &settings.databases.begin()->second;
}

std::string UserOf(const Settings& settings, const DatabaseSettings* entry) {
  if (!settings.sampler_user.empty()) return settings.sampler_user;
  if (entry != nullptr && !entry->auth_user.empty()) return entry->auth_user;
  if (!settings.auth_user.empty()) return settings.auth_user;
  return entry != nullptr ? entry->user : std::string();
}

std::string PasswordOf(const Settings& settings, const DatabaseSettings* entry,
                       const std::string& user, const PasswordLookup& lookup) {
  if (!settings.sampler_password.empty()) return settings.sampler_password;
  const bool entry_means_this_user =
      entry != nullptr && (entry->user.empty() || entry->user == user);
  if (entry_means_this_user && !entry->password.empty()) return entry->password;
  return lookup && !user.empty() ? lookup(user) : std::string();
}

}  // namespace

Target TargetOf(const Settings& settings, const PasswordLookup& lookup) {
  const DatabaseSettings* entry = FindEntry(settings, settings.sampler_dbname);

  Target target;
  target.dbname = settings.sampler_dbname;
  if (entry != nullptr) {
    if (target.dbname.empty()) target.dbname = NameOnServer(*entry);
    for (const config::HostPort& host : entry->hosts)
      target.addresses.push_back({host.host, host.port});
  }
  if (target.dbname.empty()) target.dbname = kDefaultDatabase;
  target.user = UserOf(settings, entry);
  target.password = PasswordOf(settings, entry, target.user, lookup);
  target.interval = settings.sampler_interval;
  target.connect_timeout = settings.server_connect_timeout > Duration::zero()
                               ? settings.server_connect_timeout
                               : kDefaultConnectTimeout;
  target.longest_pause = std::max(settings.server_login_retry, settings.sampler_interval);
  return target;
}

}  // namespace pgvalet::sampler

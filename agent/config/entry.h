// One entry of [databases] or [users], from its keys to its struct.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/report.h"
#include "config/settings.h"
#include "config/value.h"

namespace pgvalet::config {

// A key with its value, as written.
struct WrittenKey {
  std::string key;
  Written value;
  Place place;
};

// An entry of a section: one text ("host=a pool_size=5"), or a table of keys.
struct WrittenEntry {
  std::string name;
  std::string shown;  // how reports name it: "databases.app"; empty for a URI
  Place place;
  std::variant<std::string, std::vector<WrittenKey>> content;
};

// Where a server's socket is when a database names no host: the directory of Debian.
inline constexpr std::string_view kDefaultSocketDirectory = "/var/run/postgresql";

// What cannot be used is reported and left out.  A database without hosts gets the
// Unix socket in kDefaultSocketDirectory.
DatabaseSettings ReadDatabaseEntry(const WrittenEntry& entry, Report& report);
UserSettings ReadUserEntry(const WrittenEntry& entry, Report& report);

// The content of a file that holds one secret, without the newline at its end.
// `key` names the setting in mistakes.
std::string ReadSecretFile(const std::string& path, const Place& place, std::string_view key,
                           Report& report);

}  // namespace pgvalet::config

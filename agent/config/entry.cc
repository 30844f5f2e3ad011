#include "config/entry.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <optional>
#include <system_error>

#include "config/connection_string.h"
#include "config/file.h"
#include "config/table.h"
#include "config/unsupported.h"

namespace pgvalet::config {
namespace {

constexpr std::uint16_t kDefaultPort = 5432;
constexpr std::size_t kMaxSecretBytes = 65536;

std::string ShownKey(std::string_view entry, std::string_view key) {
  return entry.empty() ? std::string(key) : fmt::format("{}: {}", entry, key);
}

// host, hostaddr and port of one database, until all keys are read.
struct Addresses {
  std::vector<std::string> hosts;
  std::vector<std::string> ports;
  bool numeric = false;  // hosts came from hostaddr, which wins over host
  Place place;
};

// Unlike SplitList() it keeps empty items: "1,,3" are ports of three hosts.
std::vector<std::string> SplitAddresses(std::string_view text) {
  std::vector<std::string> items;
  for (std::size_t comma = 0; comma != std::string_view::npos;) {
    comma = text.find(',');
    items.emplace_back(Trimmed(text.substr(0, comma)));
    if (comma != std::string_view::npos) text.remove_prefix(comma + 1);
  }
  return items;
}

std::optional<std::vector<std::string>> AsList(const Written& value) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return *list;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return {{std::to_string(*number)}};
  if (const auto* text = std::get_if<std::string>(&value)) return SplitAddresses(*text);
  return std::nullopt;
}

// Empty is the default, as in libpq; 0 is none.
std::uint16_t ReadPort(std::string_view text) {
  if (text.empty()) return kDefaultPort;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() ? port : std::uint16_t{0};
}

// One port may serve all hosts; else there is one for each.  The ports are not quoted:
// in a URI with an unescaped password a piece of it can end up here.
std::vector<HostPort> PairUp(const Addresses& addresses, std::string_view shown, Report& report) {
  std::vector<HostPort> hosts;
  std::vector<std::string> names = addresses.hosts;
  if (names.empty()) names.emplace_back(kDefaultSocketDirectory);
  const std::vector<std::string>& ports = addresses.ports;
  if (ports.size() > 1 && ports.size() != names.size()) {
    report.Mistake(addresses.place, ShownKey(shown, "port"),
                   "expected one port, or one for each host");
    return {{names.front(), kDefaultPort}};
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    HostPort host{.host = names[i]};
    if (host.host.empty()) host.host = kDefaultSocketDirectory;
    if (!ports.empty()) host.port = ReadPort(ports[ports.size() == 1 ? 0 : i]);
    if (host.port == 0) {
      std::string text = "expected whole number, 1 to 65535";
      if (shown.empty()) text += " (in a password, @ : / # % are written %40 %3A %2F %23 %25)";
      report.Mistake(addresses.place, ShownKey(shown, "port"), text);
      host.port = kDefaultPort;
    }
    hosts.push_back(std::move(host));
  }
  return hosts;
}

// False when the key does not belong to the address.
bool ReadAddressKey(const WrittenKey& written, std::string_view shown, Addresses* addresses,
                    Report& report) {
  const bool is_port = written.key == "port";
  const bool is_hostaddr = written.key == "hostaddr";
  if (!is_port && !is_hostaddr && written.key != "host") return false;
  std::optional<std::vector<std::string>> list = AsList(written.value);
  if (!list) {
    report.Mistake(written.place, ShownKey(shown, written.key),
                   "expected list, or text with commas");
  } else if (is_port) {
    addresses->ports = *std::move(list);
  } else if (is_hostaddr || !addresses->numeric) {
    addresses->hosts = *std::move(list);
    addresses->numeric = is_hostaddr;
  }
  addresses->place = written.place;
  return true;
}

template <typename Owner>
std::vector<std::string_view> KnownKeys(const std::vector<Setting<Owner>>& table, Section section) {
  std::vector<std::string_view> keys = UnsupportedKeys(section);
  for (const Setting<Owner>& setting : table) keys.push_back(setting.key);
  if (section == Section::kDatabase) {
    keys.insert(keys.end(), {"host", "hostaddr", "port", "password_file"});
  }
  return keys;
}

// A key of the table, one we do not have, or a mistake.
template <typename Owner>
void ReadTableKey(const std::vector<Setting<Owner>>& table, Section section,
                  std::string_view shown_entry, const WrittenKey& written, Owner& owner,
                  Report& report) {
  const std::string shown = ShownKey(shown_entry, written.key);
  const Setting<Owner>* setting = FindSetting(table, written.key);
  if (setting == nullptr) {
    if (ReportUnsupported(section, written.key, written.value, written.place, shown, report)) {
      return;
    }
    report.Mistake(written.place, shown,
                   "unknown key" + DidYouMean(written.key, KnownKeys(table, section)));
    return;
  }
  const Result<Value> value = ReadValue(setting->rule, written.value, setting->secret);
  if (!value) {
    report.Mistake(written.place, shown, value.error().detail);
    return;
  }
  setting->set(owner, *value);
}

// The keys of an entry, whichever way it is written.
std::vector<WrittenKey> KeysOf(const WrittenEntry& entry, Report& report) {
  if (const auto* keys = std::get_if<std::vector<WrittenKey>>(&entry.content)) return *keys;
  const Result<Options> options = ParseConnectionString(std::get<std::string>(entry.content));
  if (!options) {
    std::string text = options.error().detail;
    if (FindSetting(SettingsTable(), entry.name) != nullptr) {
      text += fmt::format("; is this the setting {}? It must stand above the first [section]",
                          entry.name);
    }
    report.Mistake(entry.place, entry.shown, text);
    return {};
  }
  std::vector<WrittenKey> keys;
  for (const auto& [key, value] : *options) keys.push_back({key, value, entry.place});
  return keys;
}

// The value names a file; afterwards it is what the file holds.
void ReplaceByContent(WrittenKey& written, std::string_view shown, Report& report) {
  std::string* path = std::get_if<std::string>(&written.value);
  if (path == nullptr) return;  // refused like any password that is no text
  *path = ReadSecretFile(*path, written.place, ShownKey(shown, written.key), report);
}

}  // namespace

DatabaseSettings ReadDatabaseEntry(const WrittenEntry& entry, Report& report) {
  DatabaseSettings database;
  database.name = entry.name;
  Addresses addresses;
  addresses.place = entry.place;
  for (WrittenKey& written : KeysOf(entry, report)) {
    if (ReadAddressKey(written, entry.shown, &addresses, report)) continue;
    if (written.key == "reserve_pool") written.key = "reserve_pool_size";  // PgBouncer's old name
    if (written.key == "password_file") {
      ReplaceByContent(written, entry.shown, report);
      written.key = "password";
    }
    ReadTableKey(DatabaseTable(), Section::kDatabase, entry.shown, written, database, report);
  }
  database.hosts = PairUp(addresses, entry.shown, report);
  return database;
}

UserSettings ReadUserEntry(const WrittenEntry& entry, Report& report) {
  UserSettings user;
  user.name = entry.name;
  for (const WrittenKey& written : KeysOf(entry, report)) {
    ReadTableKey(UserTable(), Section::kUser, entry.shown, written, user, report);
  }
  return user;
}

std::string ReadSecretFile(const std::string& path, const Place& place, std::string_view key,
                           Report& report) {
  Result<std::string> secret = ReadFile(path, kMaxSecretBytes);
  if (!secret) {
    report.Mistake(place, key, secret.error().ToString());
    return {};
  }
  while (!secret->empty() && (secret->back() == '\n' || secret->back() == '\r')) secret->pop_back();
  if (secret->empty()) report.Mistake(place, key, fmt::format("file {} is empty", path));
  return *std::move(secret);
}

}  // namespace pgvalet::config

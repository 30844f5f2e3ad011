#include "config/entry.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <system_error>

#include "config/connection_string.h"
#include "config/table.h"
#include "config/unsupported.h"

namespace pgvalet::config {
namespace {

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

std::vector<std::string> AsList(const Written& value) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return *list;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return {std::to_string(*number)};
  if (const auto* text = std::get_if<std::string>(&value)) return SplitList(*text);
  return {};
}

std::uint16_t ReadPort(std::string_view text) {
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
    return {{names.front(), 5432}};
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    HostPort host{.host = names[i]};
    if (!ports.empty()) host.port = ReadPort(ports[ports.size() == 1 ? 0 : i]);
    if (host.port == 0) {
      report.Mistake(addresses.place, ShownKey(shown, "port"), "expected whole number, 1 to 65535");
      host.port = 5432;
    }
    hosts.push_back(std::move(host));
  }
  return hosts;
}

// Whether `key` belongs to the address.
bool ReadAddressKey(const WrittenKey& written, Addresses* addresses) {
  if (written.key == "host") {
    if (!addresses->numeric) addresses->hosts = AsList(written.value);
  } else if (written.key == "hostaddr") {
    addresses->hosts = AsList(written.value);
    addresses->numeric = true;
  } else if (written.key == "port") {
    addresses->ports = AsList(written.value);
    if (addresses->ports.empty()) addresses->ports.emplace_back();  // refused by PairUp()
  } else {
    return false;
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

}  // namespace

DatabaseSettings ReadDatabaseEntry(const WrittenEntry& entry, Report& report) {
  DatabaseSettings database;
  database.name = entry.name;
  Addresses addresses;
  addresses.place = entry.place;
  for (WrittenKey& written : KeysOf(entry, report)) {
    if (ReadAddressKey(written, &addresses)) continue;
    if (written.key == "reserve_pool") written.key = "reserve_pool_size";  // PgBouncer's old name
    if (const std::string* path = std::get_if<std::string>(&written.value);
        path != nullptr && written.key == "password_file") {
      database.password =
          ReadSecretFile(*path, written.place, ShownKey(entry.shown, written.key), report);
      continue;
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
  std::ifstream file(path, std::ios::binary);
  std::string secret(kMaxSecretBytes + 1, '\0');
  file.read(secret.data(), static_cast<std::streamsize>(secret.size()));
  if (!file.is_open() || file.bad()) {
    report.Mistake(
        place, key,
        fmt::format("cannot read file {}: {}", path, std::generic_category().message(errno)));
    return {};
  }
  secret.resize(static_cast<std::size_t>(file.gcount()));
  if (secret.size() > kMaxSecretBytes) {
    report.Mistake(place, key, fmt::format("file {} is larger than 64 kB", path));
    return {};
  }
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  if (secret.empty()) report.Mistake(place, key, fmt::format("file {} is empty", path));
  return secret;
}

}  // namespace pgvalet::config

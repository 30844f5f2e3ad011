#include "config/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/table.h"

namespace pgvalet::config {
namespace {

constexpr std::string_view kMask = "\"********\"";

std::string SourceOf(const Loaded& loaded, const std::string& key) {
  const auto source = loaded.sources.find(key);
  return source == loaded.sources.end() ? "default" : source->second;
}

enum class Secrets : std::uint8_t { kMasked, kShown };

// "key = value" as TOML; nothing for an unset or empty optional key of an entry.
template <typename Owner>
std::string KeyValue(const Setting<Owner>& setting, const Owner& owner, Secrets secrets) {
  const std::optional<Value> value = setting.get(owner);
  if (!value) return {};
  const std::string text = ValueToml(setting.rule, *value);
  const bool masked = secrets == Secrets::kMasked && setting.secret && text != "\"\"";
  return fmt::format("{} = {}", setting.key, masked ? kMask : text);
}

// The keys of an entry that differ from what `Owner{}` has.
template <typename Owner>
std::vector<std::string> KeysOf(const std::vector<Setting<Owner>>& table, const Owner& owner,
                                Secrets secrets) {
  std::vector<std::string> keys;
  for (const Setting<Owner>& setting : table) {
    if (setting.get(owner) != setting.get(Owner{}))
      keys.push_back(KeyValue(setting, owner, secrets));
  }
  return keys;
}

std::vector<std::string> AddressKeys(const DatabaseSettings& database) {
  std::vector<std::string> hosts;
  std::vector<std::string> ports;
  for (const HostPort& address : database.hosts) {
    hosts.push_back(TomlQuoted(address.host));
    ports.push_back(std::to_string(address.port));
  }
  if (hosts.size() == 1) return {"host = " + hosts[0], "port = " + ports[0]};
  return {fmt::format("host = [{}]", fmt::join(hosts, ", ")),
          fmt::format("port = [{}]", fmt::join(ports, ", "))};
}

std::string EntryLine(const std::string& name, const std::vector<std::string>& keys,
                      const std::string& source) {
  return fmt::format("{} = {{ {} }}  # {}\n", TomlQuoted(name), fmt::join(keys, ", "), source);
}

void DescribeTop(const Loaded& loaded, std::string& text) {
  std::string_view group;
  for (const Setting<Settings>& setting : SettingsTable()) {
    if (setting.group != group) text += fmt::format("\n# {}\n", setting.group);
    group = setting.group;
    text += fmt::format("{}  # {}\n", KeyValue(setting, *loaded.settings, Secrets::kMasked),
                        SourceOf(loaded, std::string(setting.key)));
  }
}

void WriteTop(const Loaded& loaded, std::string& text) {
  std::string_view group;
  for (const Setting<Settings>& setting : SettingsTable()) {
    const std::string source = SourceOf(loaded, std::string(setting.key));
    if (source == "default") continue;
    if (setting.group != group) text += fmt::format("\n# {}\n", setting.group);
    group = setting.group;
    text += fmt::format("{}  # {}\n", KeyValue(setting, *loaded.settings, Secrets::kShown), source);
  }
}

void DescribeEntries(const Loaded& loaded, Secrets secrets, std::string& text) {
  text += "\n[databases]\n";
  for (const auto& [name, database] : loaded.settings->databases) {
    std::vector<std::string> keys = AddressKeys(database);
    const std::vector<std::string> others = KeysOf(DatabaseTable(), database, secrets);
    keys.insert(keys.end(), others.begin(), others.end());
    text += EntryLine(name, keys, SourceOf(loaded, "databases." + name));
  }
  text += "\n[users]\n";
  for (const auto& [name, user] : loaded.settings->users) {
    text += EntryLine(name, KeysOf(UserTable(), user, secrets), SourceOf(loaded, "users." + name));
  }
}

}  // namespace

std::string DescribeSettings(const Loaded& loaded) {
  std::string text = "# The settings in effect, each with where it came from.\n";
  DescribeTop(loaded, text);
  DescribeEntries(loaded, Secrets::kMasked, text);
  for (const auto& [name, secret] : loaded.settings->inline_users) {
    text += fmt::format("# {} can log in {}  # {}\n", TomlQuoted(name),
                        secret.empty() ? "without a password" : "with password ********",
                        SourceOf(loaded, "inline_users." + name));
  }
  return text;
}

std::string WriteSettings(const Loaded& loaded) {
  std::string text;
  for (const std::string& warning : loaded.warnings) text += fmt::format("# {}\n", warning);
  WriteTop(loaded, text);
  DescribeEntries(loaded, Secrets::kShown, text);
  return text;
}

}  // namespace pgvalet::config

#include "config/load.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

#include "config/cross_check.h"
#include "config/draft.h"
#include "config/entry.h"
#include "config/ini_file.h"
#include "config/login.h"
#include "config/pgbouncer_keys.h"
#include "config/pgbouncer_values.h"
#include "config/table.h"
#include "config/toml_file.h"
#include "config/unsupported.h"

namespace pgvalet::config {
namespace {

constexpr std::string_view kPrefix = "PGVALET_";
constexpr std::string_view kFileSuffix = "_FILE";
const Place kCommandLine{"command line", 0};

// Variables that are no settings.
constexpr std::string_view kConfigVariable = "PGVALET_CONFIG";
constexpr std::string_view kUriVariable = "PGVALET_DATABASE_URL";
// Variables of the command `pgvalet`, which may run beside us (a health check of a container does).
constexpr std::array<std::string_view, 3> kOfTheCommand = {"PGVALET_ADDRESS", "PGVALET_TOKEN",
                                                           "PGVALET_TLS_CA_FILE"};
constexpr std::string_view kPasswordVariable = "PGVALET_DATABASE_PASSWORD";

std::string VariableOf(std::string_view key) {
  std::string name(kPrefix);
  for (const char c : key) {
    name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

struct Variable {
  std::string value;
  Place place;
};

// One Load() on its way.
class Loader {
 public:
  Loader(const CommandLine& command_line, const Environment& environment)
      : command_line_(command_line), environment_(environment) {}

  Result<Loaded> Run() {
    ReadFile();
    ReadVariables();
    ReadOverrides();
    ReadUri();
    CrossCheck(draft_);
    if (!draft_.report.has_mistakes()) return Finish();
    return Error{ErrorCode::kInvalidSetting, "the configuration cannot be used", 0,
                 fmt::format("{}", fmt::join(draft_.report.Mistakes(), "\n"))};
  }

 private:
  void ReadFile() {
    std::string path = command_line_.config_file;
    const bool is_pgbouncers = !command_line_.pgbouncer_file.empty();
    if (is_pgbouncers) path = command_line_.pgbouncer_file;
    if (path.empty()) path = Find(kConfigVariable).value_or(Variable{}).value;
    if (path.empty()) return;
    if (is_pgbouncers || IsIniName(path)) return ReadPgBouncers(path);
    Take(ReadTomlFile(path, draft_.report));
  }

  void ReadPgBouncers(const std::string& path) {
    draft_.settings.pgbouncer_defaults = true;
    for (const auto& [key, value] : PgBouncerDefaults()) {
      Set({std::string(key), std::string(value), {"PgBouncer's default", 0}});
    }
    FileContents contents = ReadIniFile(path, draft_.report);
    TranslateSettings(contents, draft_.report);
    TranslateDatabases(contents);
    Take(contents);
  }

  void Take(const FileContents& contents) {
    for (const WrittenKey& written : contents.settings) Set(written);
    for (const WrittenEntry& entry : contents.databases) SetDatabase(entry);
    for (const WrittenEntry& entry : contents.users) SetUser(entry);
  }

  void ReadVariables() {
    for (const Setting<Settings>& setting : SettingsTable()) {
      std::optional<Variable> variable = Find(VariableOf(setting.key));
      if (variable) Set({std::string(setting.key), variable->value, variable->place});
    }
    WarnOfUnknownVariables();
  }

  void ReadOverrides() {
    for (const auto& [key, value] : command_line_.overrides) {
      if (key.starts_with("databases.")) {
        SetDatabase({key.substr(10), key, kCommandLine, value});
      } else if (key.starts_with("users.")) {
        SetUser({key.substr(6), key, kCommandLine, value});
      } else {
        Set({key, value, kCommandLine});
      }
    }
  }

  void ReadUri() {
    ConnectionUri uri;
    if (const std::optional<Variable> variable = Find(kUriVariable)) {
      uri.text = variable->value;
      uri.place = variable->place;
    }
    if (!command_line_.database_url.empty()) {
      uri.text = command_line_.database_url;
      uri.place = kCommandLine;
    }
    if (const std::optional<Variable> variable = Find(kPasswordVariable)) {
      uri.password = variable->value;
      uri.password_place = variable->place;
      CheckPassword(uri);
    }
    if (!uri.text.empty()) ApplyUri(uri, draft_);
  }

  void CheckPassword(const ConnectionUri& uri) {
    if (uri.password.empty()) {
      // An empty one must not fall back to a login without a password.
      draft_.report.Mistake(uri.password_place, "", "expected a password, found nothing");
    } else if (uri.text.empty()) {
      draft_.report.Warning(uri.password_place, "",
                            "not used: there is no connection URI, and [databases] has its own");
    }
  }

  // The value of a variable, or of the file that NAME_FILE names.
  std::optional<Variable> Find(std::string_view name) {
    const auto direct = environment_.find(name);
    const std::string file_name = std::string(name).append(kFileSuffix);
    const auto file = environment_.find(file_name);
    const bool has_file = file != environment_.end() && !IsSettingVariable(file_name);
    if (direct != environment_.end()) {
      Place place{"environment " + direct->first, 0};
      if (has_file) draft_.report.Mistake(place, "", file_name + " is set too; expected only one");
      return Variable{direct->second, std::move(place)};
    }
    if (!has_file) return std::nullopt;
    const Place place{"environment " + file_name, 0};
    std::string value = ReadSecretFile(file->second, place, "", draft_.report);
    if (value.empty()) return std::nullopt;  // reported
    return Variable{std::move(value), place};
  }

  static bool IsSettingVariable(std::string_view name) {
    for (const Setting<Settings>& setting : SettingsTable()) {
      if (VariableOf(setting.key) == name) return true;
    }
    return name == kConfigVariable || name == kUriVariable || name == kPasswordVariable;
  }

  // Kubernetes sets these for a service that is called "pgvalet".
  static bool IsServiceLink(std::string_view name) {
    return name == "PGVALET_PORT" || name.starts_with("PGVALET_PORT_") ||
           name.starts_with("PGVALET_SERVICE_");
  }

  void WarnOfUnknownVariables() {
    for (const auto& [name, value] : environment_) {
      std::string_view base = name;
      if (base.ends_with(kFileSuffix) && !IsSettingVariable(base)) {
        base.remove_suffix(kFileSuffix.size());
      }
      if (!name.starts_with(kPrefix) || IsSettingVariable(base) || IsServiceLink(name)) continue;
      if (std::find(kOfTheCommand.begin(), kOfTheCommand.end(), name) != kOfTheCommand.end()) {
        continue;
      }
      std::vector<std::string> known{std::string(kConfigVariable), std::string(kUriVariable),
                                     std::string(kPasswordVariable)};
      for (const Setting<Settings>& setting : SettingsTable()) {
        known.push_back(VariableOf(setting.key));
      }
      draft_.report.Warning(
          {"environment " + name, 0}, "",
          "no setting has this name, ignored" + DidYouMean(base, {known.begin(), known.end()}));
    }
  }

  void Set(const WrittenKey& written) {
    const Setting<Settings>* setting = FindSetting(SettingsTable(), written.key);
    if (setting == nullptr) {
      ReportUnknown(written);
      return;
    }
    const Result<Value> value = ReadValue(setting->rule, written.value, setting->secret);
    if (!value) {
      draft_.report.Mistake(written.place, written.key, value.error().detail);
      return;
    }
    setting->set(draft_.settings, *value);
    draft_.places[written.key] = written.place;
  }

  void ReportUnknown(const WrittenKey& written) {
    if (ReportUnsupported(Section::kTop, written.key, written.value, written.place, written.key,
                          draft_.report)) {
      return;
    }
    std::vector<std::string_view> known = UnsupportedKeys(Section::kTop);
    for (const Setting<Settings>& setting : SettingsTable()) known.push_back(setting.key);
    draft_.report.Mistake(written.place, written.key,
                          "unknown key" + DidYouMean(written.key, known));
  }

  void SetDatabase(const WrittenEntry& entry) {
    draft_.settings.databases.insert_or_assign(entry.name, ReadDatabaseEntry(entry, draft_.report));
    draft_.places[fmt::format("databases.{}", entry.name)] = entry.place;
  }

  void SetUser(const WrittenEntry& entry) {
    draft_.settings.users.insert_or_assign(entry.name, ReadUserEntry(entry, draft_.report));
    draft_.places[fmt::format("users.{}", entry.name)] = entry.place;
  }

  Loaded Finish() {
    Loaded loaded;
    for (const Setting<Settings>& setting : SettingsTable()) {
      loaded.sources[std::string(setting.key)] = "default";
    }
    for (const auto& [key, place] : draft_.places) loaded.sources[key] = place.ToString();
    loaded.warnings = draft_.report.Warnings();
    loaded.settings = std::make_shared<const Settings>(std::move(draft_.settings));
    return loaded;
  }

  const CommandLine& command_line_;  // outlives us
  const Environment& environment_;   // outlives us
  Draft draft_;
};

}  // namespace

Environment ReadEnvironment(const char* const* environ) {
  Environment environment;
  for (; environ != nullptr && *environ != nullptr; ++environ) {
    const std::string_view variable(*environ);
    const std::size_t equals = variable.find('=');
    if (!variable.starts_with(kPrefix) || equals == std::string_view::npos) continue;
    environment.emplace(variable.substr(0, equals), variable.substr(equals + 1));
  }
  return environment;
}

Result<Loaded> Load(const CommandLine& command_line, const Environment& environment) {
  return Loader(command_line, environment).Run();
}

std::vector<std::string> NeedRestart(const Settings& before, const Settings& now) {
  std::vector<std::string> keys;
  for (const Setting<Settings>& setting : SettingsTable()) {
    if (setting.needs_restart && setting.get(before) != setting.get(now)) {
      keys.emplace_back(setting.key);
    }
  }
  return keys;
}

SettingsPtr KeepRestartSettings(const Settings& before, const Settings& now) {
  auto effective = std::make_shared<Settings>(now);
  for (const Setting<Settings>& setting : SettingsTable()) {
    if (setting.needs_restart) setting.set(*effective, *setting.get(before));
  }
  return effective;
}

}  // namespace pgvalet::config

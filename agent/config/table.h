// The one table of settings: every key, what it may be, what it means.
//
// TOML, environment, --set, --check and reload all work from these rows, and a test
// compares them with docs/configuration.md.  Defaults are the initializers in
// settings.h.  Built once at first use; read-only afterwards, from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "config/value.h"

namespace pgvalet::config {

// One key of Owner: Settings, DatabaseSettings or UserSettings.
template <typename Owner>
struct Setting {
  std::string_view group;  // heading in the documentation
  std::string_view key;
  Rule rule;
  bool needs_restart;
  bool secret;  // never printed
  std::string_view meaning;
  // Put a value that ReadValue() made from `rule` into its member.
  void (*set)(Owner& owner, const Value& value);
  // What the member holds; nothing when it is optional and unset.
  std::optional<Value> (*get)(const Owner& owner);
};

// Top-level keys.
const std::vector<Setting<Settings>>& SettingsTable();
// Keys of one database besides host and port, which are read together
// (connection_string.h).
const std::vector<Setting<DatabaseSettings>>& DatabaseTable();
// Keys of one user.
const std::vector<Setting<UserSettings>>& UserTable();

// The row of `key`, or null.
template <typename Owner>
const Setting<Owner>* FindSetting(const std::vector<Setting<Owner>>& table, std::string_view key) {
  for (const Setting<Owner>& setting : table) {
    if (setting.key == key) return &setting;
  }
  return nullptr;
}

// The value a setting has when nobody sets it, as text; empty when it has none.
std::string DefaultText(const Setting<Settings>& setting);
// What `settings` would be if nobody had set anything: where they come from PgBouncer's file, its
// defaults.
Settings DefaultsOf(const Settings& settings);

}  // namespace pgvalet::config

// SHOW CONFIG.
#include "config/table.h"
#include "console/show.h"

namespace pgvalet::console {
namespace {

// As on the command line, but for switches, which PgBouncer writes as 0 and 1.
std::string TextOf(const config::Rule& rule, const config::Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "1" : "0";
  return config::ValueText(rule, value);
}

wire::Field Show(const config::Setting<config::Settings>& setting,
                 const config::Settings& settings) {
  const std::optional<config::Value> value = setting.get(settings);
  if (!value) return std::nullopt;
  const std::string text = TextOf(setting.rule, *value);
  return setting.secret && !text.empty() ? "********" : text;
}

}  // namespace

Result<Table> ShowConfig(const Scene& scene) {
  Table table;
  for (const std::string_view name : {"key", "value", "default", "changeable"}) {
    table.columns.push_back({name, wire::ColumnType::kText});
  }
  const config::SettingsPtr settings = scene.door.Settings().settings;
  const config::Settings defaults = config::DefaultsOf(*settings);
  for (const config::Setting<config::Settings>& setting : config::SettingsTable()) {
    table.rows.push_back({std::string(setting.key), Show(setting, *settings),
                          Show(setting, defaults), setting.needs_restart ? "no" : "yes"});
  }
  return table;
}

}  // namespace pgvalet::console

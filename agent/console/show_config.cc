// SHOW CONFIG.
#include "config/table.h"
#include "console/show.h"

namespace pgvalet::console {
namespace {

// As PgBouncer writes values: durations in seconds, switches as 0 and 1, lists with commas.
std::string TextOf(const config::Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "1" : "0";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* time = std::get_if<Duration>(&value)) {
    const std::int64_t us = time->count();
    if (us % 1'000'000 == 0) return std::to_string(us / 1'000'000);
    std::string seconds = std::to_string(static_cast<double>(us) / 1e6);
    return seconds.substr(0, seconds.find_last_not_of('0') + 1);
  }
  std::string list;
  for (const std::string& one : std::get<std::vector<std::string>>(value)) {
    list += (list.empty() ? "" : ", ") + one;
  }
  return list;
}

wire::Field Show(const config::Setting<config::Settings>& setting,
                 const config::Settings& settings) {
  const std::optional<config::Value> value = setting.get(settings);
  if (!value) return std::nullopt;
  const std::string text = TextOf(*value);
  return setting.secret && !text.empty() ? "********" : text;
}

}  // namespace

Result<Table> ShowConfig(const Scene& scene) {
  Table table;
  for (const std::string_view name : {"key", "value", "default", "changeable"}) {
    table.columns.push_back({name, wire::ColumnType::kText});
  }
  const config::SettingsPtr settings = scene.door.Settings().settings;
  for (const config::Setting<config::Settings>& setting : config::SettingsTable()) {
    table.rows.push_back({std::string(setting.key), Show(setting, *settings),
                          Show(setting, config::Settings{}), setting.needs_restart ? "no" : "yes"});
  }
  return table;
}

}  // namespace pgvalet::console

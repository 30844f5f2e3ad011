// The configuration in force as JSON.
#include <nlohmann/json.hpp>

#include "api/monitoring_json.h"
#include "config/table.h"

namespace pgvalet::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMasked = "********";

Json Plain(const config::Rule& rule, const config::Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number != nullptr && rule.kind == config::Kind::kInteger) return *number;
  return config::ValueText(rule, value);
}

// Null: it is not set.
template <typename Owner>
Json ValueOf(const config::Setting<Owner>& setting, const Owner& owner) {
  const std::optional<config::Value> value = setting.get(owner);
  if (!value) return nullptr;
  if (setting.secret) return config::ValueText(setting.rule, *value).empty() ? "" : kMasked;
  return Plain(setting.rule, *value);
}

Json SettingOf(const config::Setting<config::Settings>& setting,
               const control::EffectiveSettings& effective, const config::Settings& defaults) {
  const auto source = effective.sources.find(setting.key);
  return {{"value", ValueOf(setting, *effective.settings)},
          {"default", ValueOf(setting, defaults)},
          {"source", source == effective.sources.end() ? "default" : source->second},
          {"needs_restart", setting.needs_restart}};
}

// Only what is set.
template <typename Owner>
void PutKeys(const std::vector<config::Setting<Owner>>& table, const Owner& owner, Json& json) {
  for (const config::Setting<Owner>& setting : table) {
    const Json value = ValueOf(setting, owner);
    if (!value.is_null() && value != "") json[std::string(setting.key)] = value;
  }
}

Json DatabaseOf(const config::DatabaseSettings& database) {
  Json json = Json::object();
  json["hosts"] = Json::array();
  for (const config::HostPort& address : database.hosts) {
    json["hosts"].push_back({{"host", address.host}, {"port", address.port}});
  }
  PutKeys(config::DatabaseTable(), database, json);
  return json;
}

}  // namespace

std::string DatabaseConfigJson(const control::EffectiveSettings& effective) {
  Json json;
  json["settings"] = Json::object();
  const config::Settings defaults = config::DefaultsOf(*effective.settings);
  for (const config::Setting<config::Settings>& setting : config::SettingsTable()) {
    json["settings"][std::string(setting.key)] = SettingOf(setting, effective, defaults);
  }
  json["databases"] = Json::object();
  for (const auto& [name, database] : effective.settings->databases) {
    json["databases"][name] = DatabaseOf(database);
  }
  json["users"] = Json::object();
  for (const auto& [name, user] : effective.settings->users) {
    json["users"][name] = Json::object();
    PutKeys(config::UserTable(), user, json["users"][name]);
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pgvalet::api

#include "cli/doctor/facts.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "config/table.h"
#include "config/value.h"

namespace pgvalet::cli::doctor {
namespace {

// A TOML string without its quotes and escapes of quotes; other text as it is.
std::string Unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  text = text.substr(1, text.size() - 2);
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

config::Written FromToml(const std::string& toml) {
  const std::string_view text = toml;
  if (text.empty() || text.front() != '[' || text.back() != ']') return Unquoted(text);
  std::vector<std::string> list;
  for (const std::string& item : config::SplitList(text.substr(1, text.size() - 2)))
    list.push_back(Unquoted(item));
  return list;
}

}  // namespace

config::Settings SettingsOf(const v1::ListSettingsResponse& response) {
  config::Settings settings;
  for (const v1::Setting& one : response.settings()) {
    const auto* row = config::FindSetting(config::SettingsTable(), one.key());
    if (row == nullptr || row->secret) continue;
    const Result<config::Value> value = config::ReadValue(row->rule, FromToml(one.value()), false);
    if (value) row->set(settings, *value);
  }
  return settings;
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0;
}

bool IsLoopback(const std::vector<std::string>& hosts) {
  return std::all_of(hosts.begin(), hosts.end(),
                     [](const std::string& host) { return IsLoopback(host); });
}

std::string NameOf(const v1::Pool& pool) { return "pool " + pool.database() + "/" + pool.user(); }

std::string Quantity(std::int64_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

}  // namespace pgvalet::cli::doctor

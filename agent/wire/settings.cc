#include "wire/settings.h"

#include <algorithm>
#include <array>

namespace pgvalet::wire {
namespace {

std::string KeyOf(const std::vector<std::pair<std::string, std::string>>& values) {
  std::string key;
  for (const auto& [name, value] : values) {
    key.append(name).push_back('\0');
    key.append(value).push_back('\0');
  }
  return key;
}

// A setting's name can have a prefix ("app.user"): each part is quoted by itself.
void AppendName(std::string& sql, std::string_view name) {
  sql.push_back('"');
  for (char c : name) {
    if (c == '"') {
      sql.append("\"\"");
    } else if (c == '.') {
      sql.append("\".\"");
    } else {
      sql.push_back(c);
    }
  }
  sql.push_back('"');
}

// The E'' form means the same whatever standard_conforming_strings says.
void AppendValue(std::string& sql, std::string_view value) {
  sql.append("E'");
  for (char c : value) {
    if (c == '\'' || c == '\\') sql.push_back(c);
    sql.push_back(c);
  }
  sql.push_back('\'');
}

// Lists of quoted names (GUC_LIST_QUOTE in PostgreSQL): SET takes one string for one element of the
// list, while set_config() splits it as the startup packet does.  Everything else is cheaper by
// SET.
bool IsListOfNames(std::string_view name) {
  return name == "search_path" || name == "temp_tablespaces" ||
         name == "session_preload_libraries" || name == "local_preload_libraries";
}

void AppendSet(std::string& sql, std::string_view name, std::string_view value) {
  if (IsListOfNames(name)) {
    sql.append("SELECT pg_catalog.set_config(");
    AppendValue(sql, name);
    sql.append(",");
    AppendValue(sql, value);
    sql.append(",false);");
    return;
  }
  sql.append("SET ");
  AppendName(sql, name);
  sql.append("=");
  AppendValue(sql, value);
  sql.append(";");
}

}  // namespace

std::string LowerCase(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

const std::string* SessionSettings::Find(std::string_view lower_name) const {
  const auto found =
      std::lower_bound(values.begin(), values.end(), lower_name,
                       [](const auto& pair, std::string_view name) { return pair.first < name; });
  return found != values.end() && found->first == lower_name ? &found->second : nullptr;
}

SettingsRef SettingsStore::Intern(std::vector<std::pair<std::string, std::string>> values) {
  if (values.empty()) return none_;
  for (auto& pair : values) pair.first = LowerCase(pair.first);
  // Of a name given twice the last one counts, as in PostgreSQL.
  std::stable_sort(values.begin(), values.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::pair<std::string, std::string>> unique;
  for (auto& pair : values) {
    if (!unique.empty() && unique.back().first == pair.first) unique.pop_back();
    unique.push_back(std::move(pair));
  }
  std::string key = KeyOf(unique);

  const std::lock_guard lock(mutex_);
  if (by_text_.size() >= sweep_at_) {
    std::erase_if(by_text_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max<std::size_t>(64, by_text_.size() * 2);
  }
  std::weak_ptr<const SessionSettings>& entry = by_text_[std::move(key)];
  if (SettingsRef alive = entry.lock()) return alive;
  auto made = std::make_shared<const SessionSettings>(SessionSettings{std::move(unique)});
  entry = made;
  return made;
}

SettingsRef SettingsStore::With(const SettingsRef& base, std::string_view lower_name,
                                std::string_view value) {
  if (const std::string* now = base->Find(lower_name); now != nullptr && *now == value) return base;
  auto values = base->values;
  values.emplace_back(lower_name, value);
  return Intern(std::move(values));
}

bool IsServerDecided(std::string_view lower_name) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "in_hot_standby", "integer_datetimes",     "is_superuser",   "server_encoding",
      "server_version", "session_authorization", "pgvalet.session"};
  return std::find(kNames.begin(), kNames.end(), lower_name) != kNames.end();
}

std::string RestoreSql(const SessionSettings& carried, const SessionSettings& wanted) {
  std::string sql;
  for (const auto& [name, value] : carried.values) {
    if (wanted.Find(name) == nullptr) {
      sql.append("RESET ");
      AppendName(sql, name);
      sql.push_back(';');
    }
  }
  for (const auto& [name, value] : wanted.values) {
    const std::string* now = carried.Find(name);
    if (now == nullptr || *now != value) AppendSet(sql, name, value);
  }
  return sql;
}

}  // namespace pgvalet::wire

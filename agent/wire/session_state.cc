#include "wire/session_state.h"

#include <algorithm>
#include <array>

#include "wire/session_items.h"

namespace pgvalet::wire {
namespace {

void SortByName(SettingList& values) {
  for (auto& pair : values) pair.first = LowerCase(pair.first);
  std::stable_sort(values.begin(), values.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  // Of a name given twice the last one counts, as in PostgreSQL.
  SettingList unique;
  for (auto& pair : values) {
    if (!unique.empty() && unique.back().first == pair.first) unique.pop_back();
    unique.push_back(std::move(pair));
  }
  values = std::move(unique);
}

std::string TextOf(const SettingList& startup, const SettingList& session) {
  std::string text;
  for (const auto& [name, value] : startup) AppendItem(text, item::kStartupSetting, {name, value});
  for (const auto& [name, value] : session) AppendItem(text, item::kSessionSetting, {name, value});
  return text;
}

void TakeSetting(ItemReader& reader, SettingList& values) {
  const std::string_view name = reader.TakeField();
  const std::string_view value = reader.TakeField();
  values.emplace_back(name, value);
}

// Settings that are looked at when a statement is analyzed: by the lookup of names, by the input
// functions that read constants, by functions so stable that the planner evaluates them.
constexpr std::array<std::string_view, 20> kReadByAnalysis = {"array_nulls",
                                                              "backslash_quote",
                                                              "bytea_output",
                                                              "client_encoding",
                                                              "datestyle",
                                                              "default_text_search_config",
                                                              "escape_string_warning",
                                                              "extra_float_digits",
                                                              "intervalstyle",
                                                              "lc_monetary",
                                                              "lc_numeric",
                                                              "role",
                                                              "row_security",
                                                              "search_path",
                                                              "session_authorization",
                                                              "standard_conforming_strings",
                                                              "timezone",
                                                              "timezone_abbreviations",
                                                              "transform_null_equals",
                                                              "xmloption"};

const std::string* FindIn(const SettingList& values, std::string_view name) {
  const auto found =
      std::lower_bound(values.begin(), values.end(), name,
                       [](const auto& pair, std::string_view key) { return pair.first < key; });
  return found != values.end() && found->first == name ? &found->second : nullptr;
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

void AppendReset(std::string& sql, std::string_view name) {
  sql.append("RESET ");
  AppendName(sql, name);
  sql.push_back(';');
}

constexpr std::string_view kRole = "role";
constexpr std::string_view kSessionUser = "session_authorization";

bool IsUser(std::string_view name) { return name == kRole || name == kSessionUser; }

bool Same(const std::string* a, const std::string* b) {
  return a == nullptr || b == nullptr ? a == b : *a == *b;
}

// Startup and session settings together, as they are in force.
SettingList InForce(const SessionState& state) {
  SettingList values = state.startup;
  values.insert(values.end(), state.session.begin(), state.session.end());
  SortByName(values);
  return values;
}

}  // namespace

std::string LowerCase(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool IsReadByAnalysis(std::string_view lower_name) {
  return std::find(kReadByAnalysis.begin(), kReadByAnalysis.end(), lower_name) !=
         kReadByAnalysis.end();
}

const std::string* SessionState::Find(std::string_view lower_name) const {
  const std::string* set = FindIn(session, lower_name);
  return set != nullptr ? set : FindIn(startup, lower_name);
}

StateRef StateStore::Find(const std::string& text) {
  const std::lock_guard lock(mutex_);
  const auto found = by_text_.find(text);
  return found == by_text_.end() ? nullptr : found->second.lock();
}

StateRef StateStore::Add(SessionState state) {
  if (state.text.empty()) return none_;
  for (const std::string_view name : kReadByAnalysis) {
    const std::string* value = state.Find(name);
    if (value != nullptr)
      AppendItem(state.statement_context, item::kSessionSetting, {name, *value});
  }
  const std::lock_guard lock(mutex_);
  if (by_text_.size() >= sweep_at_) {
    std::erase_if(by_text_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max<std::size_t>(64, by_text_.size() * 2);
  }
  std::weak_ptr<const SessionState>& entry = by_text_[state.text];
  if (StateRef alive = entry.lock()) return alive;
  auto made = std::make_shared<const SessionState>(std::move(state));
  entry = made;
  return made;
}

StateRef StateStore::FromStartup(SettingList values) {
  SortByName(values);
  SessionState state{std::move(values), {}, {}};
  state.text = TextOf(state.startup, state.session);
  return Add(std::move(state));
}

std::optional<StateRef> StateStore::FromReport(std::string_view text) {
  std::string key(text);
  if (StateRef known = Find(key)) return known;
  SessionState state;
  ItemReader reader(text);
  while (!reader.at_end()) {
    switch (reader.TakeLetter()) {
      case item::kStartupSetting:
        TakeSetting(reader, state.startup);
        break;
      case item::kSessionSetting:
        TakeSetting(reader, state.session);
        break;
      case item::kLibrary:
        reader.TakeField();
        break;
      case item::kStatement:
        reader.TakeField();
        reader.TakeField();
        break;
      default:
        return std::nullopt;
    }
    if (!reader.ok()) return std::nullopt;
  }
  SortByName(state.startup);
  SortByName(state.session);
  state.text = std::move(key);
  return Add(std::move(state));
}

StateRef StateStore::With(const StateRef& base, std::string_view lower_name,
                          std::string_view value) {
  if (const std::string* now = base->Find(lower_name); now != nullptr && *now == value) return base;
  SessionState state{base->startup, base->session, {}};
  state.session.emplace_back(lower_name, value);
  SortByName(state.session);
  state.text = TextOf(state.startup, state.session);
  return Add(std::move(state));
}

bool IsServerDecided(std::string_view lower_name) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "in_hot_standby",  "integer_datetimes", "is_superuser",
      "server_encoding", "server_version",    "session_authorization"};
  return std::find(kNames.begin(), kNames.end(), lower_name) != kNames.end();
}

std::string RestoreSql(const SessionState& carried, const SessionState& wanted) {
  if (&carried == &wanted) return {};
  const SettingList now = InForce(carried);
  const SettingList then = InForce(wanted);
  std::string sql;
  // Another session authorization resets the role; both decide what else may be set.
  const bool other_user = !Same(FindIn(now, kSessionUser), FindIn(then, kSessionUser));
  const bool other_role = other_user || !Same(FindIn(now, kRole), FindIn(then, kRole));
  if (other_role && FindIn(now, kRole) != nullptr) AppendReset(sql, kRole);
  if (other_user && FindIn(now, kSessionUser) != nullptr) AppendReset(sql, kSessionUser);
  if (other_user && FindIn(then, kSessionUser) != nullptr) {
    AppendSet(sql, kSessionUser, *FindIn(then, kSessionUser));
  }
  for (const auto& [name, value] : now) {
    if (!IsUser(name) && FindIn(then, name) == nullptr) AppendReset(sql, name);
  }
  for (const auto& [name, value] : then) {
    if (!IsUser(name) && !Same(FindIn(now, name), &value)) AppendSet(sql, name, value);
  }
  if (other_role && FindIn(then, kRole) != nullptr) AppendSet(sql, kRole, *FindIn(then, kRole));
  return sql;
}

}  // namespace pgvalet::wire

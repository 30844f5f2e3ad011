#include "session/probe.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "wire/body_reader.h"
#include "wire/session_items.h"

namespace pgvalet::session {
namespace {

constexpr std::uint32_t kNull = 0xffffffff;
// A text is looked at so far; what comes later is data nearly always.
constexpr std::size_t kMaxTextBytes = 16 * 1024;

// Tags of statements that leave nothing on the session, but for what functions do in them.
constexpr std::array<std::string_view, 22> kHarmlessTags = {"SELECT",
                                                            "INSERT",
                                                            "UPDATE",
                                                            "DELETE",
                                                            "MERGE",
                                                            "BEGIN",
                                                            "COMMIT",
                                                            "ROLLBACK",
                                                            "RELEASE",
                                                            "FETCH",
                                                            "START TRANSACTION",
                                                            "SAVEPOINT",
                                                            "COPY",
                                                            "SHOW",
                                                            "EXPLAIN",
                                                            "VACUUM",
                                                            "ANALYZE",
                                                            "NOTIFY",
                                                            "LOCK TABLE",
                                                            "TRUNCATE TABLE",
                                                            "CHECKPOINT",
                                                            "MOVE"};

// Words in SQL that make session state without showing in the tag.
constexpr std::array<std::string_view, 7> kTyingWords = {
    "advisory", "set_config", "setseed", "temp", "dblink", "execute", "pg_replication_origin"};

// Two letters of every third place are looked at: one such pair lies within the first four of any
// word.
constexpr std::size_t kStride = 3;
constexpr std::size_t kMostWords = 8;
static_assert(kTyingWords.size() <= kMostWords);
static_assert(std::ranges::min(kTyingWords, {}, &std::string_view::size).size() > kStride);

constexpr std::uint8_t Folded(char letter) { return static_cast<std::uint8_t>(letter) | 0x20; }

// For every byte: as which letters of which words, `behind` the first of a pair, it would do.
constexpr std::array<std::uint32_t, 256> Places(std::size_t behind) {
  std::array<std::uint32_t, 256> places{};
  for (std::size_t byte = 0; byte < places.size(); ++byte) {
    for (std::size_t bit = 0; bit < kStride * kMostWords; ++bit) {
      const std::size_t word = bit % kMostWords;
      if (word >= kTyingWords.size()) continue;
      const bool fits = (byte | 0x20) == Folded(kTyingWords[word][bit / kMostWords + behind]);
      if (fits) places[byte] |= 1U << bit;
    }
  }
  return places;
}

constexpr std::array<std::uint32_t, 256> kFirstPlaces = Places(0);
constexpr std::array<std::uint32_t, 256> kSecondPlaces = Places(1);

// Whether one of the words that may have a letter at `at`, as `places` say, is there.
bool IsTyingWord(std::string_view text, std::size_t at, std::uint32_t places) {
  for (; places != 0; places &= places - 1) {
    const auto bit = static_cast<std::size_t>(std::countr_zero(places));
    const std::string_view word = kTyingWords[bit % kMostWords];
    const std::size_t before = bit / kMostWords;
    if (before > at || word.size() > text.size() - (at - before)) continue;
    const auto same = [](char a, char b) { return Folded(a) == Folded(b); };
    if (std::equal(word.begin(), word.end(), text.begin() + (at - before), same)) return true;
  }
  return false;
}

}  // namespace

bool TagMayTie(std::string_view tag) {
  // "INSERT 0 5", "SELECT 1": the command without its numbers.
  while (!tag.empty() && (tag.back() == ' ' || (tag.back() >= '0' && tag.back() <= '9'))) {
    tag.remove_suffix(1);
  }
  return std::find(kHarmlessTags.begin(), kHarmlessTags.end(), tag) == kHarmlessTags.end();
}

// Every request comes through here, so its text is gone through once, for all words together.
bool TextMayTie(std::string_view sql) {
  sql = sql.substr(0, kMaxTextBytes);
  for (std::size_t at = 0; at + 1 < sql.size(); at += kStride) {
    const std::uint32_t places = kFirstPlaces[static_cast<std::uint8_t>(sql[at])] &
                                 kSecondPlaces[static_cast<std::uint8_t>(sql[at + 1])];
    if (places != 0 && IsTyingWord(sql, at, places)) return true;
  }
  return false;
}

const std::string& ProbeSql() {
  static const std::string sql =
      "SELECT 's'::text, name, setting FROM pg_catalog.pg_settings"
      " WHERE source OPERATOR(pg_catalog.=) 'session'"
      " UNION ALL SELECT 's', 'role', pg_catalog.current_setting('role')"
      " WHERE pg_catalog.current_setting('role') OPERATOR(pg_catalog.<>) 'none'"
      " UNION ALL SELECT 's', 'session_authorization', s.setting FROM"
      " (SELECT pg_catalog.current_setting('session_authorization') AS setting) s,"
      " pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a"
      " WHERE s.setting OPERATOR(pg_catalog.<>)"
      " (SELECT rolname::text FROM pg_catalog.pg_roles"
      " WHERE oid OPERATOR(pg_catalog.=) a.usesysid)"
      " UNION ALL SELECT 'p', 'prepared_statements', pg_catalog.count(*)::text"
      " FROM pg_catalog.pg_prepared_statements WHERE from_sql"
      " HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0"
      " UNION ALL SELECT 'p', 'temporary_objects', pg_catalog.count(*)::text"
      " FROM pg_catalog.pg_depend"
      " WHERE refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass"
      " AND refobjid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()"
      " HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0"
      " UNION ALL SELECT 'p', 'advisory_locks', pg_catalog.count(*)::text FROM pg_catalog.pg_locks"
      " WHERE locktype OPERATOR(pg_catalog.=) 'advisory'"
      " AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"
      " HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0"
      " UNION ALL SELECT 'p', 'held_cursors', pg_catalog.count(*)::text"
      " FROM pg_catalog.pg_cursors WHERE is_holdable"
      " HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0"
      " UNION ALL SELECT 'l', c, '' FROM pg_catalog.pg_listening_channels() c";
  return sql;
}

bool ProbeResult::TakeRow(wire::Bytes body) {
  wire::BodyReader reader(body);
  if (reader.TakeU16() != 3) return false;
  std::array<std::string_view, 3> fields;
  for (std::string_view& field : fields) {
    const std::uint32_t length = reader.TakeU32();
    if (length != kNull) field = wire::AsText(reader.TakeBytes(length));
  }
  if (!reader.ok() || fields[0].size() != 1) return false;
  const char letter = fields[0].front();
  if (letter == wire::item::kSessionSetting) {
    settings_.emplace_back(wire::LowerCase(fields[1]), fields[2]);
  } else if (letter == wire::item::kChannel) {
    wire::AppendItem(ties_, letter, {fields[1]});
  } else {
    wire::AppendItem(ties_, letter, {fields[1], fields[2]});
  }
  return true;
}

bool ProbeResult::HasAll(const wire::SettingList& brought) const {
  return std::all_of(brought.begin(), brought.end(), [&](const auto& setting) {
    return std::any_of(settings_.begin(), settings_.end(),
                       [&](const auto& set) { return set.first == setting.first; });
  });
}

std::string ProbeResult::Actual() const {
  wire::SettingList settings = settings_;
  std::sort(settings.begin(), settings.end());
  std::string state;
  for (const auto& [name, value] : settings) {
    wire::AppendItem(state, wire::item::kSessionSetting, {name, value});
  }
  return state;
}

std::string ProbeResult::Report(const wire::SettingList& brought) const {
  std::string state;
  for (const auto& [name, value] : brought) {
    wire::AppendItem(state, wire::item::kStartupSetting, {name, value});
  }
  wire::SettingList changed;
  for (const auto& setting : settings_) {
    if (std::find(brought.begin(), brought.end(), setting) == brought.end()) {
      changed.push_back(setting);
    }
  }
  std::sort(changed.begin(), changed.end());
  for (const auto& [name, value] : changed) {
    wire::AppendItem(state, wire::item::kSessionSetting, {name, value});
  }
  std::string report;
  wire::AppendItem(report, wire::item::kState, {state});
  return report + ties_;
}

}  // namespace pgvalet::session

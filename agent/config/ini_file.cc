#include "config/ini_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "config/file.h"
#include "config/ini_pairs.h"
#include "config/pgbouncer_keys.h"
#include "config/table.h"

namespace pgvalet::config {
namespace {

constexpr std::size_t kMaxFileBytes = 16 << 20;  // a mistake beyond this
constexpr int kMaxDepth = 10;                    // of files that include files
constexpr int kMaxFiles = 1000;                  // in all: two lines could open 2^10

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_.-*").find(c) != std::string_view::npos;
}

enum class Part : std::uint8_t { kNone, kPgBouncer, kPgvalet, kDatabases, kUsers, kPeers, kOther };

Part PartOf(std::string_view name) {
  if (name == "pgbouncer") return Part::kPgBouncer;
  if (name == "pgvalet") return Part::kPgvalet;
  if (name == "databases") return Part::kDatabases;
  if (name == "users") return Part::kUsers;
  return name == "peers" ? Part::kPeers : Part::kOther;
}

// One file, and those it includes, on their way into FileContents.
class Reader {
 public:
  Reader(const OpenFile& open, Report& report) : open_(open), report_(report) {}

  void ReadText(std::string_view text, const std::string& source, int depth) {
    Place place{source, 0};
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      ++place.line;
      ReadLine(Trimmed(text.substr(0, end)), place, depth);
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
    }
  }

  FileContents TakeContents() {
    std::vector<WrittenKey>& all = contents_.settings;
    all.insert(all.end(), std::make_move_iterator(pgbouncers_.begin()),
               std::make_move_iterator(pgbouncers_.end()));
    return std::move(contents_);
  }

 private:
  // Behind a section's name the line goes on.
  void ReadLine(std::string_view line, const Place& place, int depth) {
    constexpr std::string_view kInclude = "%include";
    while (!line.empty() && line.front() == '[') {
      const std::size_t end = line.find(']');
      if (end == std::string_view::npos) {
        return report_.Mistake(place, "", "expected [section], found no closing bracket");
      }
      EnterSection(line.substr(1, end - 1), place);
      line = Trimmed(line.substr(end + 1));
    }
    if (line.empty() || line.front() == '#' || line.front() == ';') return;
    if (line.starts_with(kInclude) && line.size() > kInclude.size() &&
        IsBlank(line[kInclude.size()])) {
      return Include(std::string(Trimmed(line.substr(kInclude.size()))), place, depth);
    }
    ReadKey(line, place);
  }

  void Include(const std::string& path, const Place& place, int depth) {
    if (depth >= kMaxDepth || ++files_ > kMaxFiles) {
      if (files_ > kMaxFiles + 1) return;  // said once
      return report_.Mistake(
          place, "%include",
          fmt::format("more than {} files deep, or {} in all", kMaxDepth, kMaxFiles));
    }
    const Result<std::string> text = open_(path);
    if (!text) return report_.Mistake(place, "%include", text.error().ToString());
    ReadText(*text, path, depth + 1);
  }

  void EnterSection(std::string_view name, const Place& place) {
    part_ = PartOf(name);
    if (part_ == Part::kOther) {
      report_.Mistake(place, name,
                      "unknown section; expected pgbouncer, databases, users, peers "
                      "or pgvalet");
    }
    if (part_ == Part::kPgBouncer) BeginAgain(place);
    if (part_ == Part::kPeers) {
      report_.Warning(place, "peers",
                      "ignored: one process uses all cores, and finds the session of every cancel "
                      "request itself");
    }
  }

  // A second [pgbouncer] forgets the first, there as here.
  void BeginAgain(const Place& place) {
    if (pgbouncers_.empty()) return;
    std::string names;
    for (const WrittenKey& key : pgbouncers_) names += (names.empty() ? "" : ", ") + key.key;
    report_.Warning(place, "pgbouncer",
                    fmt::format("a second section of this name: as in PgBouncer, what stood in the "
                                "first is back to its default ({})",
                                names));
    pgbouncers_.clear();
  }

  void ReadKey(std::string_view line, const Place& place) {
    std::optional<std::string> name = TakeName(line);
    line = Trimmed(line);
    if (!name || line.empty() || line.front() != '=') {
      // The line is not quoted: it may hold a password.
      return report_.Mistake(place, "",
                             "expected key = value; a name with other characters than "
                             "a-z A-Z 0-9 _ . - * stands in double quotes");
    }
    const std::string_view value = Trimmed(line.substr(1));
    switch (part_) {
      case Part::kNone:
        return report_.Mistake(place, *name, "stands above the first [section]");
      case Part::kPgBouncer:
      case Part::kPgvalet:
        return AddSetting(*std::move(name), value, place);
      case Part::kDatabases:
        return AddEntry("databases", *std::move(name), value, place, contents_.databases);
      case Part::kUsers:
        return AddEntry("users", *std::move(name), value, place, contents_.users);
      case Part::kPeers:
      case Part::kOther:  // reported
        return;
    }
  }

  // Nothing when a quoted name has no end.
  static std::optional<std::string> TakeName(std::string_view& line) {
    std::string name;
    if (line.front() != '"') {
      const auto* const end =
          std::find_if_not(line.begin(), line.end(), [](char c) { return IsNameCharacter(c); });
      name.assign(line.begin(), end);
      line.remove_prefix(name.size());
      if (name.empty()) return std::nullopt;
      return name;
    }
    for (line.remove_prefix(1); !line.empty(); line.remove_prefix(1)) {
      if (line.front() == '"') {
        line.remove_prefix(1);
        if (line.empty() || line.front() != '"') return name;
      }
      name += line.front();
    }
    return std::nullopt;
  }

  void AddSetting(std::string name, std::string_view value, const Place& place) {
    const bool is_pgbouncers = FindPgBouncerKey(PgBouncerSettings(), name) != nullptr;
    if (part_ == Part::kPgvalet && is_pgbouncers) {
      return report_.Mistake(place, name, "expected in [pgbouncer]: it is one of PgBouncer's keys");
    }
    if (part_ == Part::kPgBouncer && !is_pgbouncers &&
        FindSetting(SettingsTable(), name) != nullptr) {
      return report_.Mistake(place, name,
                             "expected in a section [pgvalet]: PgBouncer has no such key");
    }
    std::vector<WrittenKey>& keys = is_pgbouncers ? pgbouncers_ : contents_.settings;
    keys.push_back({std::move(name), std::string(value), place});
  }

  void AddEntry(std::string_view section, std::string name, std::string_view value,
                const Place& place, std::vector<WrittenEntry>& entries) {
    const std::string shown = fmt::format("{}.{}", section, name);
    std::optional<Options> pairs = ParsePgBouncerPairs(value);
    if (!pairs) {
      // Not quoted: it may hold a password.
      return report_.Mistake(place, shown,
                             "expected key=value pairs; a value with blanks stands in single "
                             "quotes, and a quote within is doubled");
    }
    std::vector<WrittenKey> keys;
    for (auto& [key, text] : *pairs) keys.push_back({std::move(key), std::move(text), place});
    entries.push_back({std::move(name), shown, place, std::move(keys)});
  }

  const OpenFile& open_;  // outlives us
  Report& report_;        // outlives us
  Part part_ = Part::kNone;
  int files_ = 0;                       // included
  std::vector<WrittenKey> pgbouncers_;  // settings that a further [pgbouncer] forgets
  FileContents contents_;               // the others
};

}  // namespace

bool IsIniName(std::string_view path) { return path.ends_with(".ini"); }

FileContents ReadIniFile(const std::string& path, Report& report) {
  const auto open = [](const std::string& name) { return ReadFile(name, kMaxFileBytes); };
  const Result<std::string> text = open(path);
  if (text) return ReadIni(*text, path, open, report);
  report.Mistake({}, "", text.error().ToString());
  return {};
}

FileContents ReadIni(std::string_view text, const std::string& source, const OpenFile& open,
                     Report& report) {
  Reader reader(open, report);
  reader.ReadText(text, source, 0);
  return reader.TakeContents();
}

}  // namespace pgvalet::config

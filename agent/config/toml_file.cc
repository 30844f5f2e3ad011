#include "config/toml_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <optional>

#include "config/file.h"

namespace pgvalet::config {
namespace {

constexpr std::size_t kMaxFileBytes = 16 << 20;  // a mistake beyond this

Place PlaceOf(const std::string& source, const toml::source_region& region) {
  return {source, static_cast<int>(region.begin.line)};
}

// Items of an array, if all are text or whole numbers.
std::optional<Written> ListOf(const toml::array& array) {
  std::vector<std::string> items;
  for (const toml::node& node : array) {
    if (const toml::value<std::string>* text = node.as_string()) {
      items.push_back(text->get());
    } else if (const toml::value<std::int64_t>* number = node.as_integer()) {
      items.push_back(std::to_string(number->get()));
    } else {
      return std::nullopt;
    }
  }
  return Written(std::move(items));
}

std::optional<Written> WrittenOf(const toml::node& node) {
  if (const toml::value<bool>* flag = node.as_boolean()) return Written(flag->get());
  if (const toml::value<std::int64_t>* number = node.as_integer()) return Written(number->get());
  if (const toml::value<double>* number = node.as_floating_point()) return Written(number->get());
  if (const toml::value<std::string>* text = node.as_string()) return Written(text->get());
  if (const toml::array* array = node.as_array()) return ListOf(*array);
  return std::nullopt;
}

// One parsed file on its way into FileContents.
class Reader {
 public:
  Reader(const std::string& source, Report& report) : source_(source), report_(report) {}

  FileContents Read(const toml::table& root) {
    FileContents contents;
    for (const auto& [key, node] : root) {
      if (key == "databases") {
        contents.databases = ReadSection("databases", node);
      } else if (key == "users") {
        contents.users = ReadSection("users", node);
      } else if (node.is_table() || node.is_array_of_tables()) {
        report_.Mistake(PlaceOf(source_, key.source()), key.str(), UnknownSection(key.str()));
      } else {
        AddKey(key, node, key.str(), &contents.settings);
      }
    }
    return contents;
  }

 private:
  static std::string UnknownSection(std::string_view name) {
    if (name == "pgbouncer" || name == "pgvalet") {
      return "unknown section; its keys stand at the top of the file, above the first [section]";
    }
    if (name == "peers") return "section not supported; one process uses all cores";
    return "unknown section" + DidYouMean(name, {"databases", "users"});
  }

  void AddKey(const toml::key& key, const toml::node& node, std::string_view shown,
              std::vector<WrittenKey>* keys) {
    const Place place = PlaceOf(source_, key.source());
    std::optional<Written> written = WrittenOf(node);
    if (!written) {
      report_.Mistake(place, shown, "expected text, a number, true, false or a list of text");
      return;
    }
    keys->push_back({std::string(key.str()), *std::move(written), place});
  }

  std::vector<WrittenEntry> ReadSection(std::string_view section, const toml::node& node) {
    std::vector<WrittenEntry> entries;
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      report_.Mistake(PlaceOf(source_, node.source()), section,
                      fmt::format("expected a section: [{}]", section));
      return entries;
    }
    for (const auto& [name, content] : *table) ReadEntry(section, name, content, &entries);
    return entries;
  }

  void ReadEntry(std::string_view section, const toml::key& name, const toml::node& content,
                 std::vector<WrittenEntry>* entries) {
    const std::string shown = fmt::format("{}.{}", section, name.str());
    WrittenEntry entry{std::string(name.str()), shown, PlaceOf(source_, name.source()),
                       std::string()};
    if (const toml::value<std::string>* text = content.as_string()) {
      entry.content = text->get();
    } else if (const toml::table* table = content.as_table()) {
      std::vector<WrittenKey> keys;
      for (const auto& [key, node] : *table) {
        AddKey(key, node, fmt::format("{}: {}", shown, key.str()), &keys);
      }
      entry.content = std::move(keys);
    } else {
      report_.Mistake(entry.place, shown,
                      "expected \"key=value key=value\" or a table { key = value }");
      return;
    }
    entries->push_back(std::move(entry));
  }

  const std::string& source_;  // outlives us
  Report& report_;             // outlives us
};

}  // namespace

FileContents ReadTomlFile(const std::string& path, Report& report) {
  const Result<std::string> text = ReadFile(path, kMaxFileBytes);
  if (text) return ReadToml(*text, path, report);
  report.Mistake({}, "", text.error().ToString());
  return {};
}

FileContents ReadToml(std::string_view text, const std::string& source, Report& report) {
  try {
    const toml::table root = toml::parse(text, std::string_view(source));
    return Reader(source, report).Read(root);
  } catch (const toml::parse_error& error) {
    report.Mistake(PlaceOf(source, error.source()), "",
                   fmt::format("not TOML: {}", error.description()));
  } catch (const std::exception& error) {
    report.Mistake({source, 0}, "", fmt::format("not TOML: {}", error.what()));
  }
  return {};
}

}  // namespace pgvalet::config

// What is wrong with a configuration, collected: nobody wants to hear of one mistake
// at a time.  Lives for one Load().
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgvalet::config {

// Where something was written.
struct Place {
  std::string source;  // "pgvalet.toml", "environment PGVALET_CORES", "command line"
  int line = 0;        // from 1; 0: the source has no lines

  // "pgvalet.toml:12".
  std::string ToString() const;
};

class Report {
 public:
  // `key` may be empty.  `text` says what was expected and holds no secret.
  void Mistake(const Place& place, std::string_view key, std::string_view text);
  void Warning(const Place& place, std::string_view key, std::string_view text);

  bool has_mistakes() const { return !mistakes_.empty(); }
  // One line each, by source in the order they were met, then by line.
  std::vector<std::string> Mistakes() const { return Lines(mistakes_); }
  std::vector<std::string> Warnings() const { return Lines(warnings_); }

 private:
  struct Entry {
    Place place;
    std::string text;
  };
  static std::string Text(std::string_view key, std::string_view text);
  static std::vector<std::string> Lines(std::vector<Entry> entries);

  std::vector<Entry> mistakes_;
  std::vector<Entry> warnings_;
};

// The candidate that `word` is most likely a misspelling of, or an empty string.
std::string_view Nearest(std::string_view word, const std::vector<std::string_view>& candidates);

// " (did you mean X?)", or nothing when no candidate is near.
std::string DidYouMean(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace pgvalet::config

#include "config/report.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace pgvalet::config {
namespace {

// Insertions, deletions and replacements that turn `a` into `b`.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above + 1, row[j - 1] + 1, replaced});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string Place::ToString() const {
  return line == 0 ? source : source + ":" + std::to_string(line);
}

void Report::Mistake(const Place& place, std::string_view key, std::string_view text) {
  mistakes_.push_back({place, Text(key, text)});
}

void Report::Warning(const Place& place, std::string_view key, std::string_view text) {
  warnings_.push_back({place, Text(key, text)});
}

std::string Report::Text(std::string_view key, std::string_view text) {
  std::string line(key);
  if (!key.empty()) line += ": ";
  return line.append(text);
}

std::vector<std::string> Report::Lines(std::vector<Entry> entries) {
  std::map<std::string, std::size_t> rank;
  for (const Entry& entry : entries) rank.try_emplace(entry.place.source, rank.size());
  std::stable_sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) {
    if (a.place.source != b.place.source) return rank[a.place.source] < rank[b.place.source];
    return a.place.line < b.place.line;
  });
  std::vector<std::string> lines;
  for (const Entry& entry : entries) {
    const std::string place = entry.place.ToString();
    lines.push_back(place.empty() ? entry.text : place + ": " + entry.text);
  }
  return lines;
}

std::string_view Nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  // Long words are hostile input, not misspelt keys.
  if (word.size() > 64) return {};
  std::string_view nearest;
  std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return best < word.size() ? nearest : std::string_view();
}

std::string DidYouMean(std::string_view word, const std::vector<std::string_view>& candidates) {
  const std::string_view nearest = Nearest(word, candidates);
  if (nearest.empty()) return {};
  return " (did you mean " + std::string(nearest) + "?)";
}

}  // namespace pgvalet::config

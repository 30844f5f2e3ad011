#include "wire/sequence_values.h"

#include <algorithm>
#include <vector>

#include "wire/session_items.h"

namespace pgvalet::wire {
namespace {

// A restore puts each of them in by a query of its own.
constexpr std::size_t kMostSequences = 1000;

struct Values {
  struct Sequence {
    std::string_view oid;
    std::string_view value;
  };
  std::string_view last;            // empty: lastval() says nothing
  std::vector<Sequence> sequences;  // those used last at the end
};

// Nothing that cannot be read is believed in part.
Values Read(std::string_view text) {
  Values values;
  ItemReader reader(text);
  while (!reader.at_end()) {
    switch (reader.TakeLetter()) {
      case item::kLastval:
        values.last = reader.TakeField();
        break;
      case item::kCurrval: {
        const std::string_view oid = reader.TakeField();
        values.sequences.push_back({oid, reader.TakeField()});
        break;
      }
      default:
        return {};
    }
    if (!reader.ok()) return {};
  }
  return values;
}

}  // namespace

std::string MergeSequences(std::string_view known, std::string_view used) {
  const Values news = Read(used);
  Values merged = Read(known);
  if (!news.last.empty()) merged.last = news.last;
  std::erase_if(merged.sequences, [&](const Values::Sequence& old) {
    return std::any_of(news.sequences.begin(), news.sequences.end(),
                       [&](const Values::Sequence& one) { return one.oid == old.oid; });
  });
  merged.sequences.insert(merged.sequences.end(), news.sequences.begin(), news.sequences.end());
  const std::size_t first =
      merged.sequences.size() - std::min(merged.sequences.size(), kMostSequences);
  std::string text;
  for (std::size_t i = first; i < merged.sequences.size(); ++i) {
    AppendItem(text, item::kCurrval, {merged.sequences[i].oid, merged.sequences[i].value});
  }
  if (!merged.last.empty()) AppendItem(text, item::kLastval, {merged.last});
  return text;
}

}  // namespace pgvalet::wire

#include "cli/loadtest/tally.h"

#include <algorithm>
#include <cmath>

namespace pgvalet::cli::loadtest {

void Tally::Failed(const Error& error, std::int64_t count) {
  const std::string& message = error.detail.empty() ? error.what : error.detail;
  Cause& cause = causes_[error.sqlstate.empty() ? message : error.sqlstate];
  if (cause.count == 0) cause = {error.sqlstate, message, 0};
  cause.count += count;
  failed_ += count;
}

double Tally::percent_succeeded() const {
  if (requests() == 0) return 0;
  return 100.0 * static_cast<double>(succeeded()) / static_cast<double>(requests());
}

Latencies Tally::latencies() const {
  if (latencies_us_.empty()) return {};
  std::vector<std::int64_t> sorted = latencies_us_;
  std::sort(sorted.begin(), sorted.end());
  // The smallest value that so many percent of the values do not exceed.
  const auto percentile = [&sorted](double percent) {
    const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()));
    return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
  };
  return {percentile(50), percentile(90), percentile(95), percentile(99), sorted.back()};
}

std::vector<Tally::Cause> Tally::causes() const {
  std::vector<Cause> list;
  for (const auto& [key, cause] : causes_) list.push_back(cause);
  std::stable_sort(list.begin(), list.end(),
                   [](const Cause& a, const Cause& b) { return a.count > b.count; });
  return list;
}

}  // namespace pgvalet::cli::loadtest

#include "base/histogram.h"

namespace pgvalet {

std::uint64_t HistogramData::UpperBound(int bucket) {
  if (bucket < 4) return static_cast<std::uint64_t>(bucket);
  const int log2 = (bucket + 4) / 4;
  const std::uint64_t quarter = static_cast<std::uint64_t>(bucket % 4);
  const std::uint64_t step = std::uint64_t{1} << (log2 - 2);
  return (4 + quarter + 1) * step - 1;
}

std::uint64_t HistogramData::Percentile(double share) const {
  const std::uint64_t n = total();
  if (n == 0) return 0;
  const double wanted = share * static_cast<double>(n);
  std::uint64_t seen = 0;
  for (int i = 0; i < kBuckets; ++i) {
    seen += count[static_cast<std::size_t>(i)];
    if (static_cast<double>(seen) >= wanted) return UpperBound(i);
  }
  return UpperBound(kBuckets - 1);
}

}  // namespace pgvalet

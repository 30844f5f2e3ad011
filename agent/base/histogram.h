// Histogram: how often durations of which length occurred, in fixed buckets.
//
// Writer    one thread, with Record(); no lock, no allocation.
// Readers   any thread, with Copy(); they see each bucket whole but not all
//           buckets of one moment, which a distribution over time does not mind.
// Buckets   four per power of two from 1 us to about 4.8 h: a percentile read from
//           it is at most 25 % above the true value.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

namespace pgvalet {

// Values of a histogram at one moment; plain data, can be added and subtracted.
struct HistogramData {
  static constexpr int kBuckets = 128;
  std::array<std::uint64_t, kBuckets> count{};
  std::uint64_t sum_us = 0;

  std::uint64_t total() const {
    std::uint64_t n = 0;
    for (std::uint64_t c : count) n += c;
    return n;
  }

  void Add(const HistogramData& other) {
    for (int i = 0; i < kBuckets; ++i)
      count[static_cast<std::size_t>(i)] += other.count[static_cast<std::size_t>(i)];
    sum_us += other.sum_us;
  }

  // What was recorded since `earlier`, an older copy of the same histogram.
  HistogramData Since(const HistogramData& earlier) const {
    HistogramData d = *this;
    for (std::size_t i = 0; i < count.size(); ++i) d.count[i] -= earlier.count[i];
    d.sum_us -= earlier.sum_us;
    return d;
  }

  // Smallest bucket bound in microseconds that `share` (0..1) of the values do not exceed; 0 when
  // empty.
  std::uint64_t Percentile(double share) const;

  // Values in bucket i are <= UpperBound(i) microseconds.
  static std::uint64_t UpperBound(int bucket);
};

class Histogram {
 public:
  void Record(std::uint64_t us) {
    Bump(count_[static_cast<std::size_t>(BucketOf(us))], 1);
    Bump(sum_us_, us);
  }

  HistogramData Copy() const {
    HistogramData d;
    for (std::size_t i = 0; i < count_.size(); ++i)
      d.count[i] = count_[i].load(std::memory_order_relaxed);
    d.sum_us = sum_us_.load(std::memory_order_relaxed);
    return d;
  }

  // The bucket a value falls into; values beyond the last bound fall into the last bucket.
  static int BucketOf(std::uint64_t us) {
    if (us < 4) return static_cast<int>(us);
    const int log2 = 63 - std::countl_zero(us);
    const int bucket = log2 * 4 - 4 + static_cast<int>((us >> (log2 - 2)) & 3);
    return bucket < HistogramData::kBuckets ? bucket : HistogramData::kBuckets - 1;
  }

 private:
  static void Bump(std::atomic<std::uint64_t>& value, std::uint64_t by) {
    value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  std::array<std::atomic<std::uint64_t>, HistogramData::kBuckets> count_{};
  std::atomic<std::uint64_t> sum_us_{0};
};

}  // namespace pgvalet

// ReportedPools: pools that applications keep themselves, as they last said.
//
// Writers   gRPC's and HTTP's threads.  Reader  the snapshot thread.  One mutex.
// Texts are clean (base/clean_text.h); the same names stand in proto/pgvalet/v1/stats.proto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace pgvalet::stats {

struct ReportedPool {
  std::string application;
  std::string name;
  std::string instance;
  std::string kind;
  std::string target;
  std::int64_t max_connections = 0;
  std::int64_t in_use = 0;
  std::int64_t idle = 0;
  std::int64_t waiting = 0;
  std::int64_t checkout_count = 0;
  std::int64_t timeout_count = 0;
  std::int64_t error_count = 0;
  std::int64_t wait_us = 0;
};

class ReportedPools {
 public:
  static constexpr std::size_t kMaxPools = 1000;

  // Kept for `ttl`.  kLimit: there are kMaxPools others, and nothing of the report is kept.
  Result<Done> Report(std::vector<ReportedPool> pools, Duration ttl, Time now = Clock::now());

  // Those whose time is not over, and when each was reported; by application, name, instance.
  std::vector<std::pair<ReportedPool, Time>> List(Time now);

 private:
  using Key = std::tuple<std::string, std::string, std::string>;
  struct Kept {
    ReportedPool pool;
    Time reported_at;
    Time until;
  };
  static Key KeyOf(const ReportedPool& pool);
  // REQUIRES: mutex_ is held.
  void Forget(Time now);

  std::mutex mutex_;  // protects all below
  std::map<Key, Kept> pools_;
};

}  // namespace pgvalet::stats

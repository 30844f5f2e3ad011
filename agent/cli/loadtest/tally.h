// Tally: what became of the requests of one run; pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace pgvalet::cli::loadtest {

// Of those that succeeded, in microseconds; exact, not out of buckets.
struct Latencies {
  std::int64_t p50_us = 0;
  std::int64_t p90_us = 0;
  std::int64_t p95_us = 0;
  std::int64_t p99_us = 0;
  std::int64_t max_us = 0;
};

class Tally {
 public:
  // `latency` counts from the moment the request was due, so that a wait for a free client is seen.
  void Succeeded(Duration latency) { latencies_us_.push_back(latency.count()); }
  // By SQLSTATE, or in words where no server said anything; the first sentence of each is kept.
  void Failed(const Error& error, std::int64_t count = 1);
  // Began noticeably later than it was due: no client was free, or this program is too busy.
  void Late() { ++late_; }

  std::int64_t succeeded() const { return static_cast<std::int64_t>(latencies_us_.size()); }
  std::int64_t failed() const { return failed_; }
  std::int64_t requests() const { return succeeded() + failed_; }
  std::int64_t late() const { return late_; }
  // 0..100; 0 when there was no request.
  double percent_succeeded() const;
  Latencies latencies() const;

  struct Cause {
    std::string sqlstate;  // empty: no server said it
    std::string message;
    std::int64_t count = 0;
  };
  // The most frequent first.
  std::vector<Cause> causes() const;

 private:
  std::vector<std::int64_t> latencies_us_;
  std::map<std::string, Cause> causes_;  // by SQLSTATE, else message
  std::int64_t failed_ = 0;
  std::int64_t late_ = 0;
};

// One run.
struct RunResult {
  Tally tally;
  Duration elapsed{0};
  bool interrupted = false;
  // -1: not known.
  std::int64_t pool_connections = -1;             // server connections of the pool, highest
  std::int64_t database_connections = -1;         // backends of the database, highest
  std::int64_t database_connections_before = -1;  // of these, before the run
};

}  // namespace pgvalet::cli::loadtest

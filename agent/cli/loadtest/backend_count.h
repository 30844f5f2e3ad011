// BackendCount: how many backends a database has while a load is on it.
//
// Asks pg_stat_activity over a connection of its own, on a thread of its own, ten times per second.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include "cli/client/postgres.h"

namespace pgvalet::cli::loadtest {

class BackendCount {
 public:
  // Connects at once; without a connection nothing is known.
  BackendCount(const ConnectionParameters& parameters, Duration timeout);
  ~BackendCount();
  BackendCount(const BackendCount&) = delete;
  BackendCount& operator=(const BackendCount&) = delete;

  // -1: not known.  Without our own connection.
  std::int64_t before() const { return before_; }
  std::int64_t highest() const { return highest_.load(); }
  // Counts the highest from now on.
  void Restart();

 private:
  void Run();
  std::int64_t Ask();

  const Duration timeout_;
  std::mutex asking_;  // protects connection_
  std::optional<Postgres> connection_;
  std::int64_t before_ = -1;
  std::atomic<std::int64_t> highest_{-1};
  std::mutex mutex_;  // protects stop_
  std::condition_variable stopped_;
  bool stop_ = false;
  std::thread thread_;  // last: runs on the members above
};

}  // namespace pgvalet::cli::loadtest

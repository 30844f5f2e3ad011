// WorkerThreads: threads that are started as work needs them, up to a limit.
//
// For work that may block, and of which there is little at a time.  Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace pgvalet {

class WorkerThreads {
 public:
  // More work than `max_waiting` besides what is being done is refused.
  WorkerThreads(std::size_t max_threads, std::size_t max_waiting)
      : max_threads_(max_threads), max_waiting_(max_waiting) {}
  // Returns when all that was taken on is done.
  ~WorkerThreads() { Finish(); }
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;

  // Has a thread of ours run it; false: there is no room, or we are finishing.
  bool Run(std::function<void()> work);

  // Takes on nothing more, and returns when all is done.  May be called again.
  void Finish();

 private:
  void Serve();

  const std::size_t max_threads_;
  const std::size_t max_waiting_;
  std::mutex mutex_;  // protects all below
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool finishing_ = false;
};

}  // namespace pgvalet

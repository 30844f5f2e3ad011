#include "base/worker_threads.h"

#include <system_error>
#include <utility>

namespace pgvalet {

bool WorkerThreads::Run(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (idle_ <= waiting_.size() && threads_.size() < max_threads_ && !finishing_) {
    try {
      threads_.emplace_back([this] { Serve(); });
      ++idle_;  // it is about to look for work
    } catch (const std::system_error&) {
      // No thread to be had now; those there are will do.
    }
  }
  if (finishing_ || threads_.empty() || waiting_.size() >= idle_ + max_waiting_) return false;
  waiting_.push_back(std::move(work));
  wake_.notify_one();
  return true;
}

void WorkerThreads::Finish() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
    threads.swap(threads_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void WorkerThreads::Serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return finishing_ || !waiting_.empty(); });
    --idle_;
    if (waiting_.empty()) return;
    const std::function<void()> work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    lock.lock();
    ++idle_;
  }
}

}  // namespace pgvalet

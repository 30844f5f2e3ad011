// Wakeup: ends a poll() of another thread.
//
// One thread waits with poll() on fd(); any thread may Signal().  The signal stays
// until Clear(), so one that comes before the wait is not lost.
#pragma once

namespace pgvalet {

class Wakeup {
 public:
  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  void Signal();
  void Clear();

  // Readable while signalled.  -1 when the process had no descriptor left.
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace pgvalet

// Signals: the ones that end or change a live view, as a readable descriptor.
//
// Blocks them in the calling thread and in those it makes later; taken back at the end.
#pragma once

#include <signal.h>

namespace pgvalet::cli {

class Signals {
 public:
  enum Kind { kEnd, kResize };

  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int fd() const { return fd_; }
  // REQUIRES: fd() is readable.
  Kind Take() const;

 private:
  sigset_t before_;
  int fd_;
};

}  // namespace pgvalet::cli

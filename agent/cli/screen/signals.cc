#include "cli/screen/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <initializer_list>

namespace pgvalet::cli {

Signals::Signals() {
  sigset_t ours;
  sigemptyset(&ours);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}) sigaddset(&ours, number);
  pthread_sigmask(SIG_BLOCK, &ours, &before_);
  fd_ = signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC);
}

Signals::~Signals() {
  if (fd_ >= 0) close(fd_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

Signals::Kind Signals::Take() const {
  signalfd_siginfo info{};
  const bool taken = read(fd_, &info, sizeof info) == sizeof info;
  return taken && info.ssi_signo == SIGWINCH ? kResize : kEnd;
}

}  // namespace pgvalet::cli

#include "base/wait.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace pgvalet {
namespace {

// Rounded up: waking early would make the caller spin through the last millisecond.
int MillisecondsUntil(Time deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  constexpr long kLongest = 1000L * 3600;
  return static_cast<int>(std::clamp<long>(left, 0, kLongest));
}

}  // namespace

Result<Done> WaitFor(int fd, short events, const Wakeup& abort, Time deadline) {
  pollfd fds[2] = {{abort.fd(), POLLIN, 0}, {fd, events, 0}};
  while (true) {
    const int ready = poll(fds, 2, MillisecondsUntil(deadline));
    if (ready < 0 && errno != EINTR) return Error{ErrorCode::kIo, "poll failed", errno};
    if (ready > 0 && fds[0].revents != 0) return Error{ErrorCode::kAborted, "told to stop"};
    if (ready > 0) return Done{};
    if (Clock::now() >= deadline) return Error{ErrorCode::kTimeout, "no answer in time"};
  }
}

}  // namespace pgvalet

#include "cli/client/wait_for.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>

namespace pgvalet::cli {

Result<Done> WaitFor(int fd, short events, Time deadline) {
  pollfd one{fd, events, 0};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return Error{ErrorCode::kTimeout, "no answer in time"};
    const int ready = poll(&one, 1, static_cast<int>(std::min<std::int64_t>(left, 3'600'000)));
    if (ready > 0) return Done{};
    if (ready < 0 && errno != EINTR) return Error{ErrorCode::kIo, "cannot wait", errno};
  }
}

}  // namespace pgvalet::cli

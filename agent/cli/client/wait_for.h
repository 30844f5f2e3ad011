// Waits for a socket.
#pragma once

#include "base/clock.h"
#include "base/result.h"

namespace pgvalet::cli {

// Until one of `events` (POLLIN, POLLOUT) is there.  kTimeout: `deadline` was first.
Result<Done> WaitFor(int fd, short events, Time deadline);

}  // namespace pgvalet::cli

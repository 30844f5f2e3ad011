// WaitFor: poll() on one descriptor with a deadline and an abort.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "base/wakeup.h"

namespace pgvalet {

// Returns Done when `fd` is ready for one of `events` (POLLIN, POLLOUT), or has an
// error or hang-up that the next call on it will report.  With fd < 0 it only sleeps.
// Fails with kAborted when `abort` is signalled (checked first), kTimeout at `deadline`.
Result<Done> WaitFor(int fd, short events, const Wakeup& abort, Time deadline);

}  // namespace pgvalet

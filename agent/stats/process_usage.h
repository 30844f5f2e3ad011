// What the operating system says of this process.
#pragma once

#include "stats/snapshot.h"

namespace pgvalet::stats {

// Reads /proc/self, getrusage and getrlimit; a member stays 0 where that does not work.  Costs a
// few system calls, on kernels before 6.2 also one read of the descriptor folder.
ProcessUsage ReadProcessUsage();

}  // namespace pgvalet::stats

// The live view of `pgvalet top`.
#pragma once

#include "cli/client/watcher.h"
#include "cli/screen/signals.h"
#include "cli/top/top.h"

namespace pgvalet::cli {

// REQUIRES: stdin and stdout are a terminal.  Falls back to nothing: an unknown TERM is
// kUsage with a word on stderr.
int RunLive(const Common& common, const TopOptions& options, Watcher* watcher,
            const Signals& signals);

}  // namespace pgvalet::cli

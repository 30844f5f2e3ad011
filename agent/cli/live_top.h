// The live view of `pgvalet top`.
#pragma once

#include "cli/command_line.h"
#include "cli/signals.h"
#include "cli/watcher.h"

namespace pgvalet::cli {

// REQUIRES: stdin and stdout are a terminal.  Falls back to nothing: an unknown TERM is
// kUsage with a word on stderr.
int RunLive(const Options& options, Watcher* watcher, const Signals& signals);

}  // namespace pgvalet::cli

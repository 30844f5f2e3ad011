// `pgvalet status`.
#pragma once

#include "cli/command_line.h"

namespace pgvalet::cli {

// Asks once, prints, and returns the exit code.
int RunStatus(const Options& options);

}  // namespace pgvalet::cli

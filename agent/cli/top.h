// `pgvalet top`: live on a terminal, plain tables anywhere else.
#pragma once

#include "cli/command_line.h"

namespace pgvalet::cli {

// Runs until the user, a signal or --iterations ends it; returns the exit code.
int RunTop(const Options& options);

}  // namespace pgvalet::cli

// `pgvalet top`: live on a terminal, plain tables anywhere else.
#pragma once

#include <chrono>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/top/top_state.h"

namespace pgvalet::cli {

struct TopOptions {
  Duration interval = std::chrono::seconds(1);
  int iterations = 0;        // 0: until told to stop
  bool plain = false;        // without the live view
  View view = View::kPools;  // to begin with
};

// Runs until the user, a signal or the last iteration ends it; returns the exit code.
int RunTop(const Common& common, const TopOptions& options);

}  // namespace pgvalet::cli

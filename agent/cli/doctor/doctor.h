// What `pgvalet doctor` does: step by step to the agent, through it, and past it to the server.
#pragma once

#include <string>

#include "cli/command.h"

namespace pgvalet::cli::doctor {

struct DoctorOptions {
  std::string agent_uri;   // libpq's, to log in through the pool; empty: only asks what is wanted
  std::string server_uri;  // libpq's, past the pool; empty: the server is not asked
  bool strict = false;     // a warning counts as a problem
};

// Prints what was found; returns what the process returns.
int RunDoctor(const Common& common, const DoctorOptions& options);

}  // namespace pgvalet::cli::doctor

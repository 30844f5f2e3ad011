// The command `pgvalet` as a script calls it: not on a terminal.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

#include "support/agent_process.h"

namespace pgvalet::integration {

struct CommandOutcome {
  int exit_code = -1;
  std::string text;  // stdout and stderr
};

// `environment` as a shell takes it: "PGVALET_TOKEN=x ".
inline CommandOutcome CallCommand(const std::string& arguments,
                                  const std::string& environment = "") {
  CommandOutcome outcome;
  // What hangs is ended, and fails the test with 124.
  const std::string command = "(" + environment + " timeout 120 '" + CommandLineProgram().string() +
                              "' " + arguments + ") 2>&1 </dev/null";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return outcome;
  char buffer[4096];
  while (const std::size_t length = fread(buffer, 1, sizeof buffer, pipe))
    outcome.text.append(buffer, length);
  const int status = pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return outcome;
}

}  // namespace pgvalet::integration

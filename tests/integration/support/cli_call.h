// The command `pgvalet`, called as from a script: no terminal.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

#include "support/agent_process.h"

namespace pgvalet::integration {

struct CliOutcome {
  int exit_code = -1;
  std::string text;  // stdout; stderr, too, where it was not sent elsewhere
};

// Through a shell.  `redirection` of stderr: by default to stdout.
inline CliOutcome CallCli(const std::string& arguments, const std::string& redirection = "2>&1") {
  CliOutcome outcome;
  const std::string command =
      "'" + CommandLineProgram().string() + "' " + arguments + " " + redirection + " </dev/null";
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

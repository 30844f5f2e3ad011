// pgvalet: the command for people and scripts.
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <variant>
#include <vector>

#include "cli/command_line.h"

namespace {

int Run(int argc, char** argv) {
  using namespace pgvalet::cli;
  const auto asked = ParseCommandLine(std::vector<std::string>(argv + 1, argv + argc));
  if (const Answer* answer = std::get_if<Answer>(&asked)) {
    std::fputs(answer->text.c_str(), answer->exit_code == kOk ? stdout : stderr);
    return answer->exit_code;
  }
  const Invocation& invocation = std::get<Invocation>(asked);
  return invocation.action(invocation.common);
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away (head, less) is an end, not a crash.
  signal(SIGPIPE, SIG_IGN);
  // gRPC writes to stderr when a connection fails; we say that ourselves, and on a live
  // screen it would be rubbish.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pgvalet: %s\n", error.what());
    return pgvalet::cli::kUsage;
  }
}

// CommandLine: what the user asked for, read from arguments and environment.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "cli/command.h"

namespace CLI {
class App;
}

namespace pgvalet::cli {

// A command that can be run.
struct Invocation {
  std::shared_ptr<CLI::App> program;  // holds what `action` was told
  Action action;
  Common common;
};

// The command line asks for nothing but a text: help, version, or what is wrong with it.
struct Answer {
  int exit_code = kOk;
  std::string text;  // for stdout when exit_code is kOk, else for stderr
};

// `arguments` without the program's name.  PGVALET_ADDRESS, PGVALET_TOKEN_FILE, PGVALET_TOKEN and
// PGVALET_TLS_CA_FILE are read from the environment, and the token from its file.
std::variant<Invocation, Answer> ParseCommandLine(std::vector<std::string> arguments);

}  // namespace pgvalet::cli

// CommandLine: what the user asked for, read from arguments and environment.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "cli/top_state.h"

namespace pgvalet::cli {

// What the process returns.
enum ExitCode : int {
  kOk = 0,
  kUnhealthy = 1,    // the agent answered, but is not open to clients
  kUsage = 2,        // the command line cannot be used
  kUnreachable = 3,  // no answer from an agent
};

enum class Command : std::uint8_t { kStatus, kTop, kImport };

struct Options {
  Command command = Command::kStatus;
  std::string address = "127.0.0.1:6544";  // of the agent's gRPC service
  std::string token;                       // to be let in; empty: none
  Duration timeout = std::chrono::seconds(5);
  bool json = false;                            // status
  Duration interval = std::chrono::seconds(1);  // top
  int iterations = 0;                           // top; 0: until told to stop
  bool plain = false;                           // top without the live view
  View view = View::kPools;                     // top
  std::string import_file;                      // import: of PgBouncer
  std::string output_file;                      // import; empty: stdout
};

// The command line asks for nothing but a text: help, version, or what is wrong with it.
struct Answer {
  int exit_code = kOk;
  std::string text;  // for stdout when exit_code is kOk, else for stderr
};

// `arguments` without the program's name.  PGVALET_ADDRESS, PGVALET_TOKEN_FILE and
// PGVALET_TOKEN are read from the environment, and the token from its file.
std::variant<Options, Answer> ParseCommandLine(std::vector<std::string> arguments);

}  // namespace pgvalet::cli

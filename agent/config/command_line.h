// The command line of pgvaletd, as a value.
//
// main() calls ParseCommandLine() once and keeps the result for every reload:
// what was said on the command line wins over a changed file.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pgvalet::config {

struct CommandLine {
  std::string config_file;   // --config; empty: none
  std::string database_url;  // postgres://user@host/db; empty: none
  std::vector<std::pair<std::string, std::string>> overrides;  // --set key=value, in order
  bool check = false;  // --check: validate, print DescribeSettings(), exit with 0
  std::string print;   // --help or --version: print this to stdout, exit with 0
};

// An error is a sentence for stderr (Error::detail); exit with 2.
Result<CommandLine> ParseCommandLine(int argc, const char* const* argv);

// Overwrite the passwords of connection strings in argv, so that `ps` does not show
// them.  To be called after ParseCommandLine() has copied them.
void HidePasswords(int argc, char** argv);

}  // namespace pgvalet::config

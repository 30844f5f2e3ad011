// The command line of pgvaletd, as a value.
//
// main() calls ParseCommandLine() once and keeps the result for every reload:
// what was said on the command line wins over a changed file.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pgvalet::config {

struct CommandLine {
  std::string config_file;     // --config; empty: none; PgBouncer's where it ends in .ini
  std::string pgbouncer_file;  // --pgbouncer; empty: none
  std::string database_url;    // postgres://user@host/db; empty: none
  std::vector<std::pair<std::string, std::string>> overrides;  // --set key=value, in order
  bool check = false;         // --check: validate, print DescribeSettings(), exit with 0
  bool is_quiet = false;      // nothing to stderr
  bool is_daemon = false;     // run in the background
  bool is_reboot = false;     // -R of PgBouncer
  bool as_pgbouncer = false;  // started by its name, with its switches
  std::string print;          // --help or --version: print this to stdout, exit with 0
};

// An error is a sentence for stderr (Error::detail); exit with 2.
Result<CommandLine> ParseCommandLine(int argc, const char* const* argv);

// The same where the program was started as "pgbouncer": PgBouncer's switches, its way to complain.
Result<CommandLine> ParsePgBouncerCommandLine(int argc, char** argv);

// Whether this is the name of that program.
bool IsPgBouncerName(std::string_view program);

// Overwrite the passwords of connection strings in argv, so that `ps` does not show
// them.  To be called after ParseCommandLine() has copied them.
void HidePasswords(int argc, char** argv);

}  // namespace pgvalet::config

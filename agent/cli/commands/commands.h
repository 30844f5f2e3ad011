// The subcommands of `pgvalet`, a file each.
//
// Each declares itself on `program`; when its command is the one that is asked for, the parse puts
// what is to be done into `action`.  Both outlive the parse.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace pgvalet::cli {

void AddStatus(CLI::App& program, Action& action);
void AddTop(CLI::App& program, Action& action);
void AddImport(CLI::App& program, Action& action);

}  // namespace pgvalet::cli

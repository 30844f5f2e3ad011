// Completion of a program's command line for shells.
#pragma once

#include <string>

#include "help/program_help.h"

namespace pgvalet::help {

// To be sourced by bash, or put into its folder of completions.
std::string BashCompletion(const Command& program);

// To be put as _NAME into a folder of zsh's fpath.
std::string ZshCompletion(const Command& program);

}  // namespace pgvalet::help

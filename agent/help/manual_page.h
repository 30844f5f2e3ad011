// A program's manual page, for man(1).
#pragma once

#include <string>

#include "help/program_help.h"

namespace pgvalet::help {

struct ManualAbout {
  int section = 1;
  std::string version;   // "0.1.0"
  std::string see_also;  // "pgvaletd(8)"; may be empty
};

// In roff with the macros of man(7).
std::string ManualPage(const Command& program, const ManualAbout& about);

}  // namespace pgvalet::help

// Output: what is on the other side of stdout.
#pragma once

#include <string>

namespace pgvalet::cli {

bool OutputIsTerminal();

// A terminal, and nobody asked for NO_COLOR or has TERM=dumb.
bool UseColour();

// Columns of the terminal; for anything else wide enough that nothing is cut.
int OutputWidth();

// Writes and flushes; false when the reader has gone.
bool Print(const std::string& text);

}  // namespace pgvalet::cli

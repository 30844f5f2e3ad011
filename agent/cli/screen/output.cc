#include "cli/screen/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace pgvalet::cli {

bool OutputIsTerminal() { return isatty(STDOUT_FILENO) == 1; }

bool UseColour() {
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");
  return OutputIsTerminal() && term != nullptr && std::string_view(term) != "dumb";
}

int OutputWidth() {
  constexpr int kWide = 1000;
  winsize size{};
  if (!OutputIsTerminal() || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return kWide;
  return size.ws_col;
}

bool Print(const std::string& text) {
  return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
}

}  // namespace pgvalet::cli

#include "cli/screen/progress.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "cli/screen/format.h"

namespace pgvalet::cli {
namespace {

constexpr int kBarWidth = 32;

}  // namespace

Progress::Progress(std::string title)
    : title_(std::move(title)), is_shown_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (is_shown_) std::fputs("\r\x1b[K", stderr);
}

void Progress::Show(double share, const std::string& detail) {
  if (!is_shown_) return;
  const std::string line = title_ + " " + Bar(share, kBarWidth).plain() + " " + detail;
  std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
  std::fflush(stderr);
}

}  // namespace pgvalet::cli

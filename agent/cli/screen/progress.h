// Progress: one line on the terminal that is written over and over; nothing anywhere else.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace pgvalet::cli {

class Progress {
 public:
  // On stderr, while it is a terminal.
  explicit Progress(std::string title);
  ~Progress();  // wipes the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `share` of the work is done (0..1); `detail` stands behind the bar.
  void Show(double share, const std::string& detail);

 private:
  const std::string title_;
  const bool is_shown_;
};

}  // namespace pgvalet::cli

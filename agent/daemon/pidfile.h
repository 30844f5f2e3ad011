// The pid file: written at start, removed at the end, locked in between.
#pragma once

#include <string>

#include "base/result.h"

namespace pgvalet::daemon {

class PidFile {
 public:
  // An empty path: no pid file.  Error kLimit when another process holds it.
  static Result<PidFile> Create(const std::string& path);
  PidFile() = default;
  PidFile(PidFile&& other) noexcept;
  PidFile& operator=(PidFile&& other) noexcept;
  ~PidFile();

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace pgvalet::daemon

#include "daemon/pidfile.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace pgvalet::daemon {

Result<PidFile> PidFile::Create(const std::string& path) {
  PidFile file;
  if (path.empty()) return file;
  file.fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file.fd_ < 0) return Error{ErrorCode::kIo, "cannot open the pid file", errno, path};
  if (flock(file.fd_, LOCK_EX | LOCK_NB) != 0) {
    return Error{ErrorCode::kLimit, "another pgvaletd runs with this pid file", 0, path};
  }
  file.path_ = path;
  const std::string text = std::to_string(getpid()) + "\n";
  if (ftruncate(file.fd_, 0) != 0 ||
      write(file.fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return Error{ErrorCode::kIo, "cannot write the pid file", errno, path};
  }
  return file;
}

PidFile::PidFile(PidFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), fd_(std::exchange(other.fd_, -1)) {}

PidFile& PidFile::operator=(PidFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

PidFile::~PidFile() {
  if (!path_.empty()) unlink(path_.c_str());
  if (fd_ >= 0) close(fd_);
}

}  // namespace pgvalet::daemon

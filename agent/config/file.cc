#include "config/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace pgvalet::config {

Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Error{ErrorCode::kIo, "cannot read file", errno, path};
  std::string content;
  char chunk[16384];
  ssize_t got = 0;
  while (content.size() <= max_bytes && (got = read(file, chunk, sizeof chunk)) > 0) {
    content.append(chunk, static_cast<std::size_t>(got));
  }
  const int read_errno = errno;
  close(file);
  if (got < 0) return Error{ErrorCode::kIo, "cannot read file", read_errno, path};
  if (content.size() > max_bytes) return Error{ErrorCode::kLimit, "file is too long", 0, path};
  return content;
}

}  // namespace pgvalet::config

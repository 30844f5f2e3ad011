#include "daemon/background.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace pgvalet::daemon {
namespace {

Error SystemError(const char* what) { return Error{ErrorCode::kIo, what, errno}; }

// In the process that was started: its status is what the new one says of itself.
[[noreturn]] void WaitForReady(int fd) {
  char byte = 0;
  ssize_t got = 0;
  while ((got = read(fd, &byte, 1)) < 0 && errno == EINTR) {
  }
  _exit(got == 1 ? 0 : 1);
}

}  // namespace

Result<Background> Background::Enter() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("cannot make a pipe");
  const pid_t child = fork();
  if (child < 0) return SystemError("cannot fork");
  if (child > 0) {
    close(ends[1]);
    WaitForReady(ends[0]);
  }
  close(ends[0]);
  if (setsid() < 0) return SystemError("cannot make a session");
  // Who leads no session can never get a terminal again.
  const pid_t grandchild = fork();
  if (grandchild < 0) return SystemError("cannot fork");
  if (grandchild > 0) _exit(0);
  Background background;
  background.ready_fd_ = ends[1];
  return background;
}

Background::Background(Background&& other) noexcept
    : ready_fd_(std::exchange(other.ready_fd_, -1)) {}

Background& Background::operator=(Background&& other) noexcept {
  std::swap(ready_fd_, other.ready_fd_);
  return *this;
}

Background::~Background() {
  if (ready_fd_ >= 0) close(ready_fd_);
}

void Background::Ready() {
  if (ready_fd_ < 0) return;
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (nothing >= 0) dup2(nothing, fd);
  }
  if (nothing > STDERR_FILENO) close(nothing);
  [[maybe_unused]] const ssize_t told = write(ready_fd_, "!", 1);
  close(std::exchange(ready_fd_, -1));
}

void NotifyManager(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // abstract
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto address_bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  // Nobody waits for an answer; without this the manager would give up on us, and say so.
  [[maybe_unused]] const ssize_t sent =
      sendto(fd, state.data(), state.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address), address_bytes);
  close(fd);
}

Result<Done> BecomeUser(const std::string& name) {
  const passwd* found = getpwnam(name.c_str());
  if (found == nullptr) {
    return Error{ErrorCode::kInvalidSetting, "user: there is no such operating system user", 0,
                 name};
  }
  if (geteuid() == found->pw_uid) return Done{};
  if (geteuid() != 0) {
    return Error{ErrorCode::kInvalidSetting, "user: only root can become another user", 0, name};
  }
  const uid_t uid = found->pw_uid;
  const gid_t gid = found->pw_gid;
  if (initgroups(name.c_str(), gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0) {
    return Error{ErrorCode::kIo, "user: cannot become this user", errno, name};
  }
  return Done{};
}

}  // namespace pgvalet::daemon

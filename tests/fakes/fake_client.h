// FakeClient: the far end of a client's socket, which a test reads and writes without waiting.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "fakes/client_messages.h"

namespace pgvalet::fakes {

class FakeClient {
 public:
  // `buffer_bytes`, when not zero, bounds what the socket holds for a slow reader.
  explicit FakeClient(int buffer_bytes = 0) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) return;
    fd_ = pair[0];
    agent_fd_ = pair[1];
    if (buffer_bytes > 0) {
      setsockopt(agent_fd_, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
    }
  }
  FakeClient(FakeClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        agent_fd_(std::exchange(other.agent_fd_, -1)),
        closed_(other.closed_),
        read_(std::move(other.read_)) {}
  FakeClient& operator=(FakeClient&&) = delete;
  ~FakeClient() {
    Close();
    if (agent_fd_ >= 0) close(agent_fd_);
  }

  // The agent's end, to be given away.
  int TakeAgentFd() { return std::exchange(agent_fd_, -1); }

  // How many bytes the socket took.
  std::size_t Send(std::string_view bytes) {
    const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  // Everything that has come.
  std::string Receive() {
    char buffer[65536];
    while (fd_ >= 0) {
      const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
      if (n > 0) {
        read_.append(buffer, static_cast<std::size_t>(n));
        continue;
      }
      if (n == 0 || errno != EAGAIN) closed_ = true;
      break;
    }
    return std::exchange(read_, {});
  }
  // The same as short text (client_messages.h).
  std::string Answers() { return Describe(Receive()); }
  // The agent has closed it; known after Receive().
  bool closed() const { return closed_; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
  int agent_fd_ = -1;
  bool closed_ = false;
  std::string read_;
};

}  // namespace pgvalet::fakes

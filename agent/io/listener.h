// Listener: a listening socket.  Opened once per address; every core may accept from it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/address.h"
#include "io/loop.h"

namespace pgvalet::io {

struct ListenOptions {
  int backlog = 128;
  std::uint32_t unix_mode = 0777;
  std::string unix_group;   // by name; empty: the process's
  bool reuse_port = false;  // of TCP: other processes may listen on it too
};

// A listening descriptor and where it listens; closes (and removes a Unix socket file) at its end.
class ListenSocket {
 public:
  static Result<ListenSocket> Open(const Address& address, const ListenOptions& options);
  // For this process alone: an abstract Unix socket with a name that nobody knows, where others
  // are turned away.  `directory` is what libpq takes as host, with `port`.
  static Result<ListenSocket> OpenPrivate(std::uint16_t port, std::string* directory);
  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&&) = delete;
  ~ListenSocket();

  int fd() const { return fd_; }
  const std::string& name() const { return name_; }
  bool is_private() const { return is_private_; }

 private:
  ListenSocket(int fd, std::string name, std::string unlink_path, int lock_fd)
      : fd_(fd), lock_fd_(lock_fd), name_(std::move(name)), unlink_path_(std::move(unlink_path)) {}
  int fd_;
  int lock_fd_;  // held while we own the Unix socket's path
  std::string name_;
  std::string unlink_path_;
  bool is_private_ = false;
};

// Accepts on one core from a socket that several cores may watch.
class Acceptor final : public IoHandler {
 public:
  // Called with a non-blocking descriptor, which it takes over, and the client's address.
  using OnAccept = std::function<void(int fd, const Address& peer)>;

  Acceptor(Loop& loop, const ListenSocket& socket, OnAccept on_accept);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  void OnIo(std::uint32_t events) override;

 private:
  Loop& loop_;
  int fd_;
  const bool is_private_;
  OnAccept on_accept_;
  Timer again_;  // after running out of descriptors
};

// The addresses to listen on: `names` are host names, addresses or "*", plus the Unix directory
// when it is not empty.  Blocks on name resolution: for start only.
Result<std::vector<Address>> ListenAddresses(const std::vector<std::string>& names,
                                             std::uint16_t port, const std::string& unix_directory);

}  // namespace pgvalet::io

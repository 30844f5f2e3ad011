#include "io/listener.h"

#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace pgvalet::io {
namespace {

Error SocketError(const char* what, const std::string& name) {
  return Error{ErrorCode::kIo, what, errno, name};
}

// A Unix socket file outlives a crashed agent, so it has to be removed; a lock beside it tells
// whether a living one still owns it.  Returns the lock's descriptor, -1 for an abstract socket.
Result<int> ClaimUnixPath(const std::string& path) {
  if (path.empty() || path[0] != '/') return -1;
  const std::string lock_path = path + ".lock";
  const int lock_fd = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_fd < 0) return SocketError("cannot make the lock file", lock_path);
  if (flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
    const Error error = SocketError("another process listens on the Unix socket", path);
    close(lock_fd);
    return error;
  }
  unlink(path.c_str());
  return lock_fd;
}

// Whether this process is the other end of a Unix socket, too.
bool IsOurs(int fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid == getpid();
}

Result<Done> SetOwnership(const std::string& path, const ListenOptions& options) {
  if (!options.unix_group.empty()) {
    const group* found = getgrnam(options.unix_group.c_str());
    if (found == nullptr) {
      return Error{ErrorCode::kInvalidSetting, "unix_socket_group: there is no such group", 0,
                   options.unix_group};
    }
    if (chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0) {
      return SocketError("cannot set the group of the Unix socket", path);
    }
  }
  if (chmod(path.c_str(), options.unix_mode) == 0) return Done{};
  return SocketError("cannot set the mode of the Unix socket", path);
}

}  // namespace

Result<ListenSocket> ListenSocket::Open(const Address& address, const ListenOptions& options) {
  const std::string name = address.ToString();
  int lock_fd = -1;
  std::string path;
  if (address.is_unix()) {
    Result<int> claimed = ClaimUnixPath(name);
    if (!claimed) return claimed.error();
    lock_fd = *claimed;
    if (name[0] == '/') path = name;
  }
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  ListenSocket made(fd, name, path, lock_fd);
  if (fd < 0) return SocketError("cannot make a socket", name);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (options.reuse_port && !address.is_unix()) {
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  }
  if (address.family() == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(fd, address.raw(), address.length) != 0) {
    made.unlink_path_.clear();
    return SocketError("cannot bind", name);
  }
  if (!path.empty()) {
    if (Result<Done> set = SetOwnership(path, options); !set) return set.error();
  }
  if (listen(fd, options.backlog) != 0) return SocketError("cannot listen", name);
  return made;
}

Result<ListenSocket> ListenSocket::OpenPrivate(std::uint16_t port, std::string* directory) {
  std::uint64_t random = 0;
  if (getrandom(&random, sizeof random, 0) != sizeof random) {
    return SocketError("cannot make a name", "private socket");
  }
  *directory = "@pgvaletd-" + std::to_string(getpid()) + "-" + std::to_string(random);
  Result<Address> address = Address::ForUnixDirectory(*directory, port);
  if (!address) return address.error();
  ListenOptions options;
  options.backlog = SOMAXCONN;
  options.unix_mode = 0;
  Result<ListenSocket> socket = Open(*address, options);
  if (socket) socket->is_private_ = true;
  return socket;
}

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      lock_fd_(std::exchange(other.lock_fd_, -1)),
      name_(std::move(other.name_)),
      unlink_path_(std::exchange(other.unlink_path_, {})),
      is_private_(other.is_private_) {}

ListenSocket::~ListenSocket() {
  if (fd_ >= 0) close(fd_);
  if (!unlink_path_.empty()) {
    unlink(unlink_path_.c_str());
    unlink((unlink_path_ + ".lock").c_str());
  }
  if (lock_fd_ >= 0) close(lock_fd_);
}

Acceptor::Acceptor(Loop& loop, const ListenSocket& socket, OnAccept on_accept)
    : loop_(loop),
      fd_(socket.fd()),
      is_private_(socket.is_private()),
      on_accept_(std::move(on_accept)),
      again_([this] { OnIo(0); }) {
  loop_.Register(fd_, EPOLLIN | EPOLLEXCLUSIVE, *this);
}

Acceptor::~Acceptor() { loop_.Unregister(fd_, *this); }

void Acceptor::OnIo(std::uint32_t) {
  if (again_.armed()) return;
  // A bounded number per turn, so that a storm of connections does not stop the relay.
  for (int i = 0; i < 16; ++i) {
    Address peer;
    peer.length = sizeof peer.storage;
    const int fd = accept4(fd_, reinterpret_cast<sockaddr*>(&peer.storage), &peer.length,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && is_private_ && !IsOurs(fd)) {
      close(fd);
      continue;
    }
    if (fd >= 0) {
      on_accept_(fd, peer);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      log::error("cannot accept a client: {}", Error{ErrorCode::kIo, "accept", errno}.ToString());
      loop_.UpdateNow();
      loop_.Arm(again_, loop_.now() + std::chrono::milliseconds(100));
    }
    return;
  }
}

Result<std::vector<Address>> ListenAddresses(const std::vector<std::string>& names,
                                             std::uint16_t port,
                                             const std::string& unix_directory) {
  std::vector<Address> addresses;
  for (const std::string& name : names) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int failure = getaddrinfo(name == "*" ? nullptr : name.c_str(),
                                    std::to_string(port).c_str(), &hints, &found);
    if (failure != 0) {
      return Error{ErrorCode::kInvalidSetting, "cannot resolve listen_addr", 0,
                   name + ": " + gai_strerror(failure)};
    }
    for (addrinfo* info = found; info != nullptr; info = info->ai_next) {
      Address address;
      std::memcpy(&address.storage, info->ai_addr, info->ai_addrlen);
      address.length = info->ai_addrlen;
      addresses.push_back(address);
    }
    freeaddrinfo(found);
  }
  if (!unix_directory.empty()) {
    Result<Address> unix_address = Address::ForUnixDirectory(unix_directory, port);
    if (!unix_address) return unix_address.error();
    addresses.push_back(*unix_address);
  }
  return addresses;
}

}  // namespace pgvalet::io

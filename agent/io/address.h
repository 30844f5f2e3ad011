// Socket addresses: TCP over IPv4 and IPv6, and Unix sockets (a path, or "@name" abstract).
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pgvalet::io {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  bool is_unix() const { return family() == AF_UNIX; }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  // "127.0.0.1:5432", "[::1]:5432", "/tmp/.s.PGSQL.5432", "unix" for an unnamed one.
  std::string ToString() const;

  // The socket PostgreSQL makes in `directory` for `port`; "@x" is an abstract one.
  static Result<Address> ForUnixDirectory(std::string_view directory, std::uint16_t port);
};

// Our side of a connected socket; empty when the system does not say.
Address LocalAddress(int fd);

// The far end of a client, small enough to keep for every one of them.
struct PeerAddress {
  std::uint8_t family = AF_UNIX;
  std::uint16_t port = 0;
  std::uint8_t bytes[16] = {};  // 4 used by IPv4

  static PeerAddress From(const Address& address);
  std::string ToString() const;  // as Address::ToString
  std::string Numeric() const;   // without the port; empty for a Unix socket
};

}  // namespace pgvalet::io

#include "io/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace pgvalet::io {
namespace {

std::string UnixName(const Address& address) {
  const auto* path = reinterpret_cast<const sockaddr_un*>(&address.storage);
  const std::size_t length = address.length - offsetof(sockaddr_un, sun_path);
  if (address.length <= offsetof(sockaddr_un, sun_path)) return "unix";
  if (path->sun_path[0] == '\0') return "@" + std::string(path->sun_path + 1, length - 1);
  return std::string(path->sun_path, strnlen(path->sun_path, length));
}

}  // namespace

std::string Address::ToString() const {
  return is_unix() ? UnixName(*this) : PeerAddress::From(*this).ToString();
}

Result<Address> Address::ForUnixDirectory(std::string_view directory, std::uint16_t port) {
  Address address;
  auto* path = reinterpret_cast<sockaddr_un*>(&address.storage);
  path->sun_family = AF_UNIX;
  std::string name(directory);
  name += "/.s.PGSQL." + std::to_string(port);
  if (name.size() >= sizeof path->sun_path) {
    return Error{ErrorCode::kInvalidSetting, "the path of the Unix socket is too long", 0, name};
  }
  std::memcpy(path->sun_path, name.data(), name.size());
  std::size_t used = name.size() + 1;
  if (name[0] == '@') {
    path->sun_path[0] = '\0';
    used = name.size();
  }
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + used);
  return address;
}

Address LocalAddress(int fd) {
  Address address;
  address.length = sizeof address.storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0) {
    return Address{};
  }
  return address;
}

PeerAddress PeerAddress::From(const Address& address) {
  PeerAddress peer;
  peer.family = static_cast<std::uint8_t>(address.family());
  if (address.family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    peer.port = ntohs(v4->sin_port);
    std::memcpy(peer.bytes, &v4->sin_addr, 4);
  } else if (address.family() == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    peer.port = ntohs(v6->sin6_port);
    std::memcpy(peer.bytes, &v6->sin6_addr, 16);
  }
  return peer;
}

std::string PeerAddress::ToString() const {
  if (family == AF_INET) return Numeric() + ":" + std::to_string(port);
  if (family == AF_INET6) return "[" + Numeric() + "]:" + std::to_string(port);
  return "unix";
}

std::string PeerAddress::Numeric() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family == AF_INET || family == AF_INET6) inet_ntop(family, bytes, text, sizeof text);
  return text;
}

}  // namespace pgvalet::io

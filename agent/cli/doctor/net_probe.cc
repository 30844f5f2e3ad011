#include "cli/doctor/net_probe.h"

#include <fcntl.h>
#include <netdb.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "cli/client/wait_for.h"

namespace pgvalet::cli::doctor {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSslRequest = "\x00\x00\x00\x08\x04\xd2\x16\x2f"sv;
constexpr std::string_view kHttp2Preface =
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"sv;

// What begins a connection by TLS: servers of gRPC hang up without a word on one that is too plain.
// Empty: OpenSSL does not make one.
std::string ClientHello() {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(
      context != nullptr ? SSL_new(context.get()) : nullptr, SSL_free);
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  if (ssl == nullptr || in == nullptr || out == nullptr) {
    BIO_free(in);
    BIO_free(out);
    return "";
  }
  SSL_set_bio(ssl.get(), in, out);  // which owns both from now on
  SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>("\x02h2"), 3);
  SSL_connect(ssl.get());  // comes as far as to wait for an answer
  char* bytes = nullptr;
  const auto length = BIO_get_mem_data(out, &bytes);
  return length > 0 ? std::string(bytes, static_cast<std::size_t>(length)) : "";
}

struct AddressesDeleter {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesDeleter>;

Result<Addresses> LookUp(const Target& target) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failure = getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &list);
  if (failure != 0)
    return Error{ErrorCode::kNotFound, "the name is not known", 0, gai_strerror(failure)};
  return Addresses(list);
}

Result<Socket> ConnectTo(int family, const sockaddr* address, socklen_t length, Time deadline) {
  Socket socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) return Error{ErrorCode::kIo, "no socket", errno};
  if (connect(socket.fd(), address, length) == 0) return socket;
  if (errno != EINPROGRESS && errno != EAGAIN)
    return Error{ErrorCode::kIo, "cannot connect", errno, std::strerror(errno)};
  const Result<Done> ready = WaitFor(socket.fd(), POLLOUT, deadline);
  if (!ready) return ready.error();
  int failure = 0;
  socklen_t size = sizeof failure;
  getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &failure, &size);
  if (failure != 0) return Error{ErrorCode::kIo, "cannot connect", failure, std::strerror(failure)};
  return socket;
}

// Sends all, then reads until `least` bytes are there or the peer closes.
Result<std::string> Exchange(const Socket& socket, std::string_view bytes, std::size_t least,
                             Time deadline) {
  while (!bytes.empty()) {
    const Result<Done> ready = WaitFor(socket.fd(), POLLOUT, deadline);
    if (!ready) return ready.error();
    const ssize_t sent = send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return Error{ErrorCode::kIo, "cannot send", errno};
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::string answer;
  while (answer.size() < least) {
    const Result<Done> ready = WaitFor(socket.fd(), POLLIN, deadline);
    if (!ready) return answer.empty() ? Result<std::string>(ready.error()) : answer;
    char buffer[4096];
    const ssize_t got = recv(socket.fd(), buffer, sizeof buffer, 0);
    if (got < 0 && errno == EAGAIN) continue;
    if (got <= 0) break;
    answer.append(buffer, static_cast<std::size_t>(got));
  }
  return answer;
}

std::string Said(const Target& target, std::string_view bytes, Time deadline) {
  const Result<Socket> socket =
      Connect(target, std::chrono::duration_cast<Duration>(deadline - Clock::now()));
  if (!socket) return "";
  const Result<std::string> answer = Exchange(*socket, bytes, 9, deadline);
  return answer ? *answer : "";
}

bool IsTls(std::string_view said) {
  return said.size() >= 2 && (said[0] == '\x15' || said[0] == '\x16') && said[1] == '\x03';
}

// A SETTINGS frame begins what an HTTP/2 server says.
bool IsHttp2(std::string_view said) { return said.size() >= 9 && said[0] == 0 && said[3] == 4; }

std::uint32_t Number(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char c : bytes.substr(0, 4)) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

std::string Number(std::uint32_t number) {
  return {static_cast<char>(number >> 24), static_cast<char>(number >> 16),
          static_cast<char>(number >> 8), static_cast<char>(number)};
}

Error FromErrorResponse(std::string_view body) {
  Error error{ErrorCode::kServer, "the server says no"};
  while (!body.empty() && body[0] != 0) {
    const std::size_t end = std::min(body.find('\0', 1), body.size());
    const std::string_view text = body.substr(1, end - 1);
    if (body[0] == 'C') error.sqlstate = text;
    if (body[0] == 'M') error.detail = text;
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return error;
}

Result<std::string> MethodOf(std::string_view body) {
  if (body.size() < 4) return Error{ErrorCode::kProtocol, "no login message"};
  switch (Number(body)) {
    case 0:
      return std::string("trust");
    case 3:
      return std::string("password");
    case 5:
      return std::string("md5");
    case 10:
      return std::string("scram-sha-256");
    default:
      return "method " + std::to_string(Number(body));
  }
}

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

std::string Target::text() const {
  if (!path.empty()) return "unix:" + path;
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
}

Target TargetOf(const std::string& address) {
  if (address.rfind("unix:", 0) == 0) {
    std::string path = address.substr(5);
    if (path.rfind("//", 0) == 0) path.erase(0, 2);
    return {"", "", path};
  }
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return {host, address.substr(colon + 1), ""};
}

Result<std::string> Resolve(const Target& target) {
  if (!target.path.empty()) {
    if (access(target.path.c_str(), F_OK) == 0) return target.path;
    return Error{ErrorCode::kNotFound, "no such socket", errno, std::strerror(errno)};
  }
  const Result<Addresses> list = LookUp(target);
  if (!list) return list.error();
  std::string text;
  for (const addrinfo* one = list->get(); one != nullptr; one = one->ai_next) {
    char name[NI_MAXHOST] = "";
    getnameinfo(one->ai_addr, one->ai_addrlen, name, sizeof name, nullptr, 0, NI_NUMERICHOST);
    text += (text.empty() ? "" : " ") + std::string(name);
  }
  return text;
}

Result<Socket> Connect(const Target& target, Duration timeout) {
  const Time deadline = Clock::now() + timeout;
  if (!target.path.empty()) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (target.path.size() >= sizeof address.sun_path)
      return Error{ErrorCode::kIo, "cannot connect", ENAMETOOLONG, "the path is too long"};
    std::memcpy(address.sun_path, target.path.c_str(), target.path.size());
    return ConnectTo(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address,
                     deadline);
  }
  const Result<Addresses> list = LookUp(target);
  if (!list) return list.error();
  Error error{ErrorCode::kNotFound, "no address"};
  for (const addrinfo* one = list->get(); one != nullptr; one = one->ai_next) {
    Result<Socket> socket = ConnectTo(one->ai_family, one->ai_addr, one->ai_addrlen, deadline);
    if (socket) return socket;
    error = socket.error();
  }
  return error;
}

Speaks WhatSpeaks(const Target& target, Duration timeout) {
  const Time deadline = Clock::now() + timeout;
  const std::string to_tls = Said(target, ClientHello(), deadline);
  if (IsTls(to_tls)) return Speaks::kTls;
  if (IsHttp2(to_tls)) return Speaks::kHttp2;
  if (to_tls.rfind("HTTP/1", 0) == 0) return Speaks::kHttp1;
  const std::string to_http2 = Said(target, kHttp2Preface, deadline);
  if (IsHttp2(to_http2)) return Speaks::kHttp2;
  if (to_http2.rfind("HTTP/1", 0) == 0) return Speaks::kHttp1;
  const auto left = std::chrono::duration_cast<Duration>(deadline - Clock::now());
  if (AskForPostgres(target, left)) return Speaks::kPostgres;
  return to_tls.empty() && to_http2.empty() ? Speaks::kNothing : Speaks::kOther;
}

Result<Done> AskForPostgres(const Target& target, Duration timeout) {
  const Time deadline = Clock::now() + timeout;
  const Result<Socket> socket = Connect(target, timeout);
  if (!socket) return socket.error();
  const Result<std::string> answer = Exchange(*socket, kSslRequest, 1, deadline);
  if (!answer) return answer.error();
  if (*answer == "S" || *answer == "N") return Done{};
  return Error{ErrorCode::kProtocol, "something else than PostgreSQL answers"};
}

Result<std::string> AskForLogin(const Target& target, const std::string& user,
                                const std::string& database, Duration timeout) {
  const Time deadline = Clock::now() + timeout;
  const Result<Socket> socket = Connect(target, timeout);
  if (!socket) return socket.error();
  std::string packet = Number(196608);  // protocol 3.0
  for (const std::string& word : {std::string("user"), user, std::string("database"), database})
    packet += word + '\0';
  packet += '\0';
  packet = Number(static_cast<std::uint32_t>(packet.size() + 4)) + packet;
  const Result<std::string> head = Exchange(*socket, packet, 5, deadline);
  if (!head) return head.error();
  if (head->size() < 5) return Error{ErrorCode::kClosed, "closed before an answer"};
  const std::size_t length = Number(std::string_view(*head).substr(1)) + 1;
  if (length < 5 || length > 100'000) return Error{ErrorCode::kProtocol, "no login message"};
  std::string message = *head;
  if (message.size() < length) {
    const Result<std::string> rest = Exchange(*socket, "", length - message.size(), deadline);
    if (!rest) return rest.error();
    message += *rest;
  }
  const std::string_view body = std::string_view(message).substr(5, length - 5);
  if (message[0] == 'E') return FromErrorResponse(body);
  if (message[0] != 'R') return Error{ErrorCode::kProtocol, "no login message"};
  return MethodOf(body);
}

}  // namespace pgvalet::cli::doctor

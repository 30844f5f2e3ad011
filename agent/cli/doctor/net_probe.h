// Net probe: who answers at an address, found out byte by byte.
//
// For one thread; every wait ends at a deadline, but for the system's own lookup of names.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace pgvalet::cli::doctor {

// An open socket; closed by the destructor.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Socket& operator=(Socket&&) = delete;
  ~Socket();
  int fd() const { return fd_; }

 private:
  int fd_;
};

// Where to: a host and port, or the path of a Unix socket.
struct Target {
  std::string host;
  std::string port;
  std::string path;  // not empty: a Unix socket
  std::string text() const;
};

// "host:port", "[v6]:port" or "unix:path", as --address has it.
Target TargetOf(const std::string& address);

// The numeric addresses of a host, with blanks between; those of a socket: its path.
// kNotFound: there is none.
Result<std::string> Resolve(const Target& target);

// kIo with errno; kTimeout.
Result<Socket> Connect(const Target& target, Duration timeout);

enum class Speaks : std::uint8_t {
  kNothing,   // closed the connection, or said nothing in time
  kHttp2,     // gRPC without TLS
  kTls,       // TLS from the first byte
  kHttp1,     // a web server
  kPostgres,  // PostgreSQL, or a pool
  kOther,
};

// Tries one language after the other.
Speaks WhatSpeaks(const Target& target, Duration timeout);

// Does it answer the question for TLS that PostgreSQL's clients begin with?
// kIo, kTimeout: no connection; kProtocol: something else answers.
Result<Done> AskForPostgres(const Target& target, Duration timeout);

// How `user` would have to log in to `database`: "trust", "password", "md5", "scram-sha-256".
// kServer with sqlstate and detail: refused before that; kIo, kTimeout, kProtocol.
Result<std::string> AskForLogin(const Target& target, const std::string& user,
                                const std::string& database, Duration timeout);

}  // namespace pgvalet::cli::doctor

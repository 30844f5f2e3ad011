// Error: why something did not work, as a value.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace pgvalet {

enum class ErrorCode : std::uint8_t {
  kClosed,          // the peer ended the stream between two messages
  kIo,              // the socket or file failed; os_errno says how
  kProtocol,        // the peer sent bytes the protocol does not allow
  kTimeout,         // a deadline passed
  kAborted,         // we ended it ourselves: shutdown, kill, reload
  kAuth,            // login refused
  kInvalidSetting,  // a setting cannot be used; detail says file, line, key and what was expected
  kServer,          // the server answered with an ErrorResponse; sqlstate and detail are its own
  kLimit,           // one of our limits is reached
  kNotFound,        // what was asked for does not exist
};

// `what` is static text and always there.  `detail` may be empty; it is for what
// only the moment knows (a host, a key, the server's own sentence).  `sqlstate`
// is set only by kServer and where a room knows better than the table at the edge.
struct Error {
  ErrorCode code;
  const char* what = "";
  int os_errno = 0;        // 0 when no system call failed
  std::string detail{};    // never contains a password or a secret
  std::string sqlstate{};  // five characters, or empty

  // "what: detail: strerror", for logs.
  std::string ToString() const;
};

// The name of a code, for logs and tests.
const char* ErrorCodeName(ErrorCode code);

}  // namespace pgvalet

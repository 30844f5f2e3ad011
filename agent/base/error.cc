#include "base/error.h"

#include <cstring>

namespace pgvalet {

std::string Error::ToString() const {
  std::string text = what;
  if (!detail.empty()) {
    if (!text.empty()) text += ": ";
    text += detail;
  }
  if (os_errno != 0) {
    char buffer[128];
    text += ": ";
    text += strerror_r(os_errno, buffer, sizeof buffer);
  }
  return text;
}

const char* ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kClosed:
      return "closed";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kProtocol:
      return "protocol";
    case ErrorCode::kTimeout:
      return "timeout";
    case ErrorCode::kAborted:
      return "aborted";
    case ErrorCode::kAuth:
      return "auth";
    case ErrorCode::kInvalidSetting:
      return "invalid_setting";
    case ErrorCode::kServer:
      return "server";
    case ErrorCode::kLimit:
      return "limit";
    case ErrorCode::kNotFound:
      return "not_found";
  }
  return "unknown";
}

}  // namespace pgvalet

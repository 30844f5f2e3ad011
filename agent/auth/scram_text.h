// The grammar of SCRAM messages: "a=value,b=value", bounded.  Used inside this room only.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"

namespace pgvalet::auth {

// 08P01: bytes the protocol does not allow.  `what` is static.
Error Malformed(const char* what);

// Printable ASCII without comma, not empty, not too long.
bool IsNonce(std::string_view text);

// Reads attributes one after the other.  The text outlives the reader.
class ScramReader {
 public:
  explicit ScramReader(std::string_view text) : rest_(text), more_(!text.empty()) {}

  // The value of the next attribute if it is `name`, else nothing is taken.
  std::optional<std::string_view> Take(char name);
  // Takes whatever attributes are left; false when they are not attributes.
  bool SkipExtensions();
  // Nothing is left, not even a comma.
  bool at_end() const { return !more_; }
  // What has not been taken, without the comma before it.
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool more_;  // an attribute must follow
};

}  // namespace pgvalet::auth

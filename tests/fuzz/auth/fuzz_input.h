// How the fuzz targets of this room read their input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "auth/scram.h"
#include "auth/secret.h"

namespace pgvalet::auth {

inline std::string_view Input(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// What stands before the next line end: the messages of an exchange, one per line.
inline std::string_view TakeLine(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : rest.size());
  return line;
}

// What must hold whatever the input.
inline void Require(bool holds) {
  if (!holds) std::abort();
}

// Of the password "pencil", with one iteration: fuzzing is about parsers, not about PBKDF2.
inline const ScramKeys& PencilKeys() {
  static const ScramKeys keys = DeriveScramKeys("pencil", "0123456789abcdef", 1).value();
  return keys;
}

inline std::shared_ptr<const ScramVerifier> PencilVerifier() {
  static const auto verifier = std::make_shared<const ScramVerifier>(VerifierOf(PencilKeys()));
  return verifier;
}

}  // namespace pgvalet::auth

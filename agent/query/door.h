// Door: where the agent listens for clients of its own.
#pragma once

#include <cstdint>
#include <string>

namespace pgvalet::query {

struct Door {
  std::string socket_directory;  // "@name": an abstract one
  std::uint16_t port = 0;
};

}  // namespace pgvalet::query

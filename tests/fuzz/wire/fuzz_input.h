// How the fuzz targets of this room read their input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace pgvalet::wire {

// What must hold whatever the input.
inline void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace pgvalet::wire

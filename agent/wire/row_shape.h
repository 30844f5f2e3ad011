// Row shape: which columns a statement gives, as a number to compare.
#pragma once

#include <cstdint>

#include "wire/protocol.h"

namespace pgvalet::wire {

using RowShape = std::uint64_t;

inline constexpr RowShape kUnknownShape = 0;
inline constexpr RowShape kNoRows = 1;  // NoData: the statement gives no rows

// Of the body of a RowDescription: names, types and type modifiers, which is what PostgreSQL looks
// at before it says that a cached plan must not change its result type.  Formats do not count.
// kUnknownShape when the body does not have the form.
RowShape ShapeOf(Bytes row_description);

}  // namespace pgvalet::wire

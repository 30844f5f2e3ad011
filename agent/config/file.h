// Small files, read whole.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace pgvalet::config {

// All bytes of the file.  kIo when it cannot be read, kLimit when it is longer than
// `max_bytes`; Error::ToString() is a whole sentence with the path.
Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes);

}  // namespace pgvalet::config

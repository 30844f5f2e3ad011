// The startup parameter "options": command-line switches in one string.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pgvalet::wire {

// Settings named by "-c name=value", "-cname=value" and "--name=value"; words are separated by
// white space, a backslash takes the next character literally (as PostgreSQL splits them).  In
// "--name" a dash stands for an underscore.  Any other switch is an error (kProtocol).
Result<std::vector<std::pair<std::string, std::string>>> ParseOptions(std::string_view options);

}  // namespace pgvalet::wire

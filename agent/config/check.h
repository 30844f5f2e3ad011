// The settings in effect, as text: what `pgvaletd --check` prints, and what `pgvalet import`
// writes.
#pragma once

#include <string>

#include "config/load.h"

namespace pgvalet::config {

// One line per setting, "key = value  # where it came from", then the databases and
// users.  It is TOML and can be used as a configuration file, except that every
// password is printed as "********".
std::string DescribeSettings(const Loaded& loaded);

// A configuration file that means the same: what was said, and where the defaults are not ours,
// what holds instead of them.  With its passwords: for its owner's eyes.
std::string WriteSettings(const Loaded& loaded);

}  // namespace pgvalet::config

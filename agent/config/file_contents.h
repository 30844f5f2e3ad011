// A configuration file as the keys written in it, not yet judged.
//
// Made by toml_file.h or ini_file.h, judged by load.h: both kinds of file become the same entries.
#pragma once

#include <vector>

#include "config/entry.h"

namespace pgvalet::config {

struct FileContents {
  std::vector<WrittenKey> settings;  // keys at the top; those of [pgbouncer] and [pgvalet]
  std::vector<WrittenEntry> databases;
  std::vector<WrittenEntry> users;
};

}  // namespace pgvalet::config

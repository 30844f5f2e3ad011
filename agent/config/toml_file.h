// A configuration file as the keys written in it, not yet judged.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/entry.h"
#include "config/report.h"

namespace pgvalet::config {

struct FileContents {
  std::vector<WrittenKey> settings;  // keys at the top
  std::vector<WrittenEntry> databases;
  std::vector<WrittenEntry> users;
};

// The file at `path`.  What cannot be read is reported: a missing file, TOML that is
// none (the first place only), a value of a kind that no setting has, another section.
FileContents ReadTomlFile(const std::string& path, Report& report);

// The same from text; `source` names it in places.
FileContents ReadToml(std::string_view text, const std::string& source, Report& report);

}  // namespace pgvalet::config

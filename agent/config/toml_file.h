// A TOML file as the keys written in it.
#pragma once

#include <string>
#include <string_view>

#include "config/file_contents.h"
#include "config/report.h"

namespace pgvalet::config {

// The file at `path`.  What cannot be read is reported: a missing file, TOML that is
// none (the first place only), a value of a kind that no setting has, another section.
FileContents ReadTomlFile(const std::string& path, Report& report);

// The same from text; `source` names it in places.
FileContents ReadToml(std::string_view text, const std::string& source, Report& report);

}  // namespace pgvalet::config

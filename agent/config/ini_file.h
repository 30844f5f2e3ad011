// PgBouncer's own configuration file as the keys written in it.
//
// Read as PgBouncer reads it, measured line by line (docs/decisions/0410-pgbouncer-files.md):
// %include is seen from the working directory, a section goes on behind an included file, a second
// [pgbouncer] begins from the defaults again.  Pure functions but for the files they open.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/file_contents.h"
#include "config/report.h"

namespace pgvalet::config {

// Whether the name of a file says that it is PgBouncer's: it ends in ".ini".
bool IsIniName(std::string_view path);

// The file at `path` and what it includes.  Every line that cannot be read is reported, and the
// next one is read; so is a key of pgvalet's own in [pgbouncer], which PgBouncer would refuse.
FileContents ReadIniFile(const std::string& path, Report& report);

// The same from text; `source` names it in places, and `open` gives the text of included files.
using OpenFile = std::function<Result<std::string>(const std::string& path)>;
FileContents ReadIni(std::string_view text, const std::string& source, const OpenFile& open,
                     Report& report);

}  // namespace pgvalet::config

// `pgvalet import`: PgBouncer's configuration as one of pgvalet.
#pragma once

#include "cli/command_line.h"

namespace pgvalet::cli {

// What it returns besides kOk and kUsage.
enum ImportExitCode : int {
  kFileHasMistakes = 1,  // all of them are on stderr
  kNotWritten = 3,
};

// Reads options.import_file, writes TOML, and says on stderr what differs.  Before it is written,
// the TOML has been loaded and compared.
int RunImport(const Options& options);

}  // namespace pgvalet::cli

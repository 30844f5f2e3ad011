// Values of PgBouncer's file that mean something else, or nothing, to us.
#pragma once

#include "config/file_contents.h"
#include "config/report.h"

namespace pgvalet::config {

// Keys and values of [pgbouncer] in our words; login methods that we do not have are mistakes.
// REQUIRES: every database is in `contents`: auth_type any asks what they are.
void TranslateSettings(FileContents& contents, Report& report);

// A database without a host is behind the socket in unix_socket_dir.
void TranslateDatabases(FileContents& contents);

}  // namespace pgvalet::config

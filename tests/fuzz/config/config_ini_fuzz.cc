// PgBouncer's configuration file, as anybody may have written it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>

#include "config/ini_file.h"
#include "config/pgbouncer_values.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pgvalet::config;  // NOLINT: this is the program
  const std::string text(reinterpret_cast<const char*>(data), size);
  // Whatever it includes is itself again.
  if (size > 4096) return 0;  // it is read a thousand times
  const auto open = [&text](const std::string&) { return pgvalet::Result<std::string>(text); };
  Report report;
  FileContents contents = ReadIni(text, "fuzz.ini", open, report);
  TranslateSettings(contents, report);
  TranslateDatabases(contents);
  for (const WrittenEntry& entry : contents.databases) {
    if (!std::holds_alternative<std::vector<WrittenKey>>(entry.content)) std::abort();
    ReadDatabaseEntry(entry, report);
  }
  for (const WrittenEntry& entry : contents.users) ReadUserEntry(entry, report);
  return 0;
}

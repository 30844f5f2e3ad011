// Keys of PgBouncer and libpq that pgvalet knows and does not have.
//
// A configuration that moves over from PgBouncer shall start: such a key is a warning
// and is ignored.  It is a mistake where ignoring it would let in more than was asked
// for (TLS required, an HBA file): security is never dropped in silence.  PgBouncer's keys and the
// sentence for each are in pgbouncer_keys.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/report.h"
#include "config/value.h"

namespace pgvalet::config {

enum class Section : std::uint8_t { kTop, kDatabase, kUser };

// Whether `key` is such a key in that section; if so, its warning or mistake is reported.
// `shown_key` is how the report names it.
bool ReportUnsupported(Section section, std::string_view key, const Written& value,
                       const Place& place, std::string_view shown_key, Report& report);

// All such keys of a section, for hints.
std::vector<std::string_view> UnsupportedKeys(Section section);

}  // namespace pgvalet::config

// Logging: spdlog behind four macros-free functions and a level.
//
// One line per event, key=value at its end where a number or name matters.
// Never log a password, a secret, a SCRAM message or the text of a query.
#pragma once

#include <spdlog/spdlog.h>

#include <string>

#include "base/result.h"

namespace pgvalet {

// Log lines of one subject: log::Info("client connected: user={}", user).
namespace log {
using spdlog::critical;
using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;
}  // namespace log

// How a line begins: "2026-11-21 18:54:42.349 +00:00 [26209] info: ", or as PgBouncer's, whose
// tools read it: "2026-11-21 18:54:42.349 UTC [26209] LOG ".
enum class LogStyle : unsigned char { kPgvalet, kPgBouncer };

struct LogOptions {
  std::string level = "info";  // trace, debug, info, warn, error or off
  std::string file;            // empty: stderr, or nothing where there is a syslog
  LogStyle style = LogStyle::kPgvalet;
  bool is_quiet = false;     // nothing goes to stderr
  std::string syslog_ident;  // empty: no syslog
  std::string syslog_facility = "daemon";

  bool operator==(const LogOptions&) const = default;
};

// The style of the last StartLog(): lines about clients and servers have PgBouncer's words, too.
LogStyle CurrentLogStyle();

// Send log lines to `options.file` (opened for append; reopened by calling this again).
// Lines are written by a background thread: a slow disk never stops a core; when its
// queue of 8192 lines is full the oldest line is dropped.
Result<Done> StartLog(const LogOptions& options);

// Write what is queued and stop.  Called once, at the end of main().
void StopLog();

}  // namespace pgvalet

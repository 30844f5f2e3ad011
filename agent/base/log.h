// Logging: spdlog behind four macros-free functions and a level.
//
// One line per event, key=value at its end where a number or name matters.
// Never log a password, a secret, a SCRAM message or the text of a query.
#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

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

// Send log lines to stderr, or to `file` when it is not empty (opened for append;
// reopened by calling this again).  `level` is trace, debug, info, warn, error or off.
// Lines are written by a background thread: a slow disk never stops a core; when its
// queue of 8192 lines is full the oldest line is dropped.
Result<Done> StartLog(std::string_view level, std::string_view file);

// Write what is queued and stop.  Called once, at the end of main().
void StopLog();

}  // namespace pgvalet

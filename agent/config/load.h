// From command line, environment, file and defaults to one Settings value.
//
// Called at start and again for every reload; neither keeps state between calls.
// Who wins: command line, then environment, then file, then default.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/command_line.h"
#include "config/settings.h"

namespace pgvalet::config {

// Variables by name.
using Environment = std::map<std::string, std::string, std::less<>>;

// The variables of `environ` whose name begins with PGVALET_.
Environment ReadEnvironment(const char* const* environ);

struct Loaded {
  SettingsPtr settings;
  std::vector<std::string> warnings;  // one sentence each, for the log; nothing secret
  // Where a value came from, for every setting, "databases.<name>", "users.<name>" and
  // "inline_users.<name>": "default", "pgvalet.toml:12", "environment PGVALET_CORES",
  // "command line".
  std::map<std::string, std::string, std::less<>> sources;
};

// Every mistake is found in one go: Error::detail (kInvalidSetting) has one line per
// mistake, each with its place, the key and what was expected, and no secret.
Result<Loaded> Load(const CommandLine& command_line, const Environment& environment);

// Keys whose value differs and which only a restart can apply.  After a reload: log
// them and go on with their old values (KeepRestartSettings()).
std::vector<std::string> NeedRestart(const Settings& before, const Settings& now);

// `now`, except that settings which need a restart have their value from `before`:
// what a reload makes effective.
SettingsPtr KeepRestartSettings(const Settings& before, const Settings& now);

}  // namespace pgvalet::config

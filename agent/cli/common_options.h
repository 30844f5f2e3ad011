// The options that all commands share: where the agent is, and how to be let in.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"
#include "cli/command.h"

namespace pgvalet::cli {

// As the options are written, before files are read.
struct CommonOptions {
  Common common;
  std::string token_file;
  double timeout_s = 5;
};

// Declares them on `app`; `options` outlives the parse.
void DeclareCommon(CLI::App& app, CommonOptions& options);

// With the token out of its file or the environment.  kNotFound: the file cannot be read.
Result<Common> Complete(const CommonOptions& options);

// For options that take so many seconds.
Duration FromSeconds(double seconds);

}  // namespace pgvalet::cli

// What every subcommand of `pgvalet` is made of.
//
// A file of commands/ declares its options on the program's CLI::App, and puts what is to be done
// into an Action when its command is the one that was asked for.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/clock.h"

namespace pgvalet::cli {

// What the process returns.
enum ExitCode : int {
  kOk = 0,
  kNo = 1,     // there is an answer, and it is no: not open to clients, refused, a problem found
  kUsage = 2,  // the command line cannot be used
  kUnreachable = 3,  // no answer from an agent, or it does not let us in
};

// How the agent's certificate is checked, and which one is shown to it.
struct TlsOptions {
  bool required = false;  // --tls; any of the files has the same effect
  std::string ca_file;    // authorities the agent's certificate may be of; empty: the system's
  std::string cert_file;  // our own
  std::string key_file;   // for cert_file
  bool used() const { return required || !ca_file.empty() || !cert_file.empty(); }
};

// What all commands take.
struct Common {
  std::string address = "127.0.0.1:6544";  // of the agent's gRPC service
  std::string token;                       // to be let in; empty: none
  TlsOptions tls;
  Duration timeout = std::chrono::seconds(5);  // for one answer
  bool json = false;                           // for programs in place of tables
};

// Runs the command; returns what the process returns (ExitCode).
using Action = std::function<int(const Common&)>;

}  // namespace pgvalet::cli

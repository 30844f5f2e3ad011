// The agent as PgBouncer: from its own files, or started by its name.
//
// Owner: one test.
#pragma once

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "support/child_process.h"

namespace pgvalet::integration {

class IniAgent {
 public:
  // Keys of [pgbouncer] that every test wants: a port, a socket directory, a user list with admin
  // (console), alice and bob.  `ini` comes behind them.
  explicit IniAgent(const std::string& ini);
  IniAgent(const IniAgent&) = delete;
  ~IniAgent();

  // Any program: pgvaletd, its link, PgBouncer itself.  Arguments; "INI" is the file.  True:
  // clients can connect.
  bool Start(const std::filesystem::path& program, const std::vector<std::string>& arguments);
  // pgvaletd from the file.
  bool Start();
  // Ends it and waits.
  void Stop() { child_.Stop({SIGINT, SIGQUIT}); }
  // Runs the program to its end.
  int Run(const std::filesystem::path& program, std::vector<std::string> arguments);

  // A file in the home, readable for the user of the agent.
  std::filesystem::path Write(const std::string& name, const std::string& text) const;
  std::filesystem::path home() const { return home_; }
  std::filesystem::path ini() const { return home_ / "pgbouncer.ini"; }
  std::string log() const { return ReadFile(home_ / "log"); }
  int port() const { return port_; }
  std::string To(const std::string& user, const std::string& database) const;
  ChildProcess& child() { return child_; }

 private:
  std::filesystem::path home_;
  int port_;
  ChildProcess child_;
};

// The programs of this build.
std::filesystem::path PgBouncerLink();
// PgBouncer itself where it is installed, else empty.
std::filesystem::path RealPgBouncer();

}  // namespace pgvalet::integration

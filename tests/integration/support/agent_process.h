// A real pgvaletd, with a configuration of its own and a free port.
//
// Owner: one test.  The destructor ends it and, when the test failed, prints its log.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "support/child_process.h"
#include "support/cluster.h"

namespace pgvalet::integration {

// The agent's TOML, as a test says it.  Values are TOML: "\"session\"", "3".
// Defaults: trust, transaction mode, two cores, 127.0.0.1, no statistics
// listeners, every database of TheCluster() under its own name.
class AgentConfig {
 public:
  AgentConfig();

  AgentConfig& Set(const std::string& key, const std::string& toml_value);
  AgentConfig& SetText(const std::string& key, const std::string& text);  // quoted here
  AgentConfig& Unset(const std::string& key);
  // One line of [databases]; replaces the fallback "*" only when that is its name.
  AgentConfig& Database(const std::string& name, const std::string& connection_string);
  AgentConfig& NoFallbackDatabase();
  AgentConfig& User(const std::string& name, const std::string& toml_table);
  // Lines of the users file: "\"alice\" \"secret\"".
  AgentConfig& UserList(const std::string& lines);

  int port() const { return port_; }
  std::string ToToml(const std::filesystem::path& home) const;
  const std::string& user_list() const { return user_list_; }

 private:
  int port_;
  std::map<std::string, std::string> settings_;
  std::map<std::string, std::string> databases_;
  std::map<std::string, std::string> users_;
  std::string user_list_;
};

class AgentProcess {
 public:
  // Starts it and waits until it takes connections.  Throws std::runtime_error,
  // with its log, when it does not.
  explicit AgentProcess(AgentConfig config = {});
  AgentProcess(const AgentProcess&) = delete;
  ~AgentProcess();

  int port() const { return config_.port(); }
  pid_t pid() const { return child_.pid(); }
  std::string log() const { return ReadFile(home_ / "pgvaletd.log"); }
  const std::filesystem::path& home() const { return home_; }

  // libpq connection string through the agent.
  std::string To(const std::string& user = "alice", const std::string& database = "app") const;

  void Signal(int number) const { child_.Signal(number); }
  bool Running() { return child_.Running(); }
  std::optional<int> WaitForExit() { return child_.WaitForExit(); }
  // Writes the new configuration and sends SIGHUP.
  void Reload(const AgentConfig& config);
  void ReloadText(const std::string& toml);
  // Highest resident memory so far, bytes.
  std::size_t PeakMemory() const;

 private:
  void Start();

  AgentConfig config_;
  std::filesystem::path home_;
  ChildProcess child_;
};

// The program under test.
std::filesystem::path AgentProgram();
std::filesystem::path CommandLineProgram();  // the pgvalet command

}  // namespace pgvalet::integration

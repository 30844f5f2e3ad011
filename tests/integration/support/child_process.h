// A program that a test starts and ends: PostgreSQL, initdb, pgvaletd, psql.
//
// Owner: one test or fixture, on the main thread.  The destructor ends the child.
// Should the test program itself die, the kernel ends the child (PR_SET_PDEATHSIG).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pgvalet::integration {

// How long anything may take before a test calls it hung.  Only ever a bound on
// waiting, never something a test measures.
inline constexpr std::chrono::seconds kPatience{30};

// Polls until condition() holds; false when kPatience has passed.
template <typename Condition>
bool Eventually(Condition condition);

struct ChildOptions {
  std::vector<std::string> argv;         // argv[0] is a path
  std::filesystem::path log;             // stdout and stderr are appended here
  bool as_server_user = false;           // user postgres when the test runs as root
  std::vector<std::string> environment;  // "NAME=value", added to ours
};

class ChildProcess {
 public:
  ChildProcess() = default;
  // Throws std::system_error when the program cannot be started.
  explicit ChildProcess(const ChildOptions& options);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ChildProcess(const ChildProcess&) = delete;
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  void Signal(int number) const;
  bool Running();
  // Exit status, or 128 + signal; empty when it still runs after kPatience.
  std::optional<int> WaitForExit();
  // Sends the signals in turn, each with kPatience, then SIGKILL.
  void Stop(const std::vector<int>& signals);

 private:
  pid_t pid_ = 0;  // 0: none, or its end has been collected
  std::optional<int> status_;
};

// Runs a program to its end; returns its exit status.
int RunToEnd(const ChildOptions& options);

// Everything the file holds; empty when there is none.
std::string ReadFile(const std::filesystem::path& path);
void WriteFile(const std::filesystem::path& path, const std::string& text);

// A new folder under /tmp that user postgres may enter; the caller removes it.
std::filesystem::path MakeTemporaryFolder();
// Gives the path to the user servers run as, when that is another one than ours.
void GiveToServerUser(const std::filesystem::path& path);

// A TCP port of 127.0.0.1 (and ::1) that nobody listens on right now.
int FreePort();

void Nap();  // 10 ms, for polling only

template <typename Condition>
bool Eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    Nap();
  }
  return true;
}

}  // namespace pgvalet::integration

// pgvaletd: the agent.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/log.h"
#include "config/check.h"
#include "config/command_line.h"
#include "config/load.h"
#include "daemon/agent.h"

namespace {

// Exit statuses.
constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

int Complain(const pgvalet::Error& error, int status) {
  std::fprintf(stderr, "pgvaletd: %s\n", error.ToString().c_str());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace pgvalet;  // NOLINT: this is the program
  Result<config::CommandLine> command_line = config::ParseCommandLine(argc, argv);
  if (!command_line) return Complain(command_line.error(), kUsage);
  if (!command_line->print.empty()) {
    std::fputs(command_line->print.c_str(), stdout);
    return kOk;
  }
  config::HidePasswords(argc, argv);
  const config::Environment environment = config::ReadEnvironment(environ);
  Result<config::Loaded> loaded = config::Load(*command_line, environment);
  if (!loaded) return Complain(loaded.error(), kFailed);
  if (command_line->check) {
    for (const std::string& warning : loaded->warnings) {
      std::fprintf(stderr, "pgvaletd: warning: %s\n", warning.c_str());
    }
    std::fputs(config::DescribeSettings(*loaded).c_str(), stdout);
    return kOk;
  }
  // Before any thread starts, the log's too, so that all of them leave the signals to Agent::Run().
  const sigset_t signals = daemon::Agent::Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  if (Result<Done> log = StartLog(loaded->settings->log_level, loaded->settings->logfile); !log) {
    return Complain(log.error(), kFailed);
  }

  int status = kOk;
  {
    daemon::Agent agent(std::move(*command_line), environment, std::move(*loaded));
    if (Result<Done> started = agent.Start(); started) {
      agent.Run();
    } else {
      log::critical("cannot start: {}", started.error().ToString());
      status = kFailed;
    }
  }
  StopLog();
  return status;
}

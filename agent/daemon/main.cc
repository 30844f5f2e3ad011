// pgvaletd: the agent.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>

#include "auth/user_directory.h"
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

void Warn(const std::string& text) {
  std::fprintf(stderr, "pgvaletd: warning: %s\n", text.c_str());
}

// `pgvaletd --check`.  An auth_file that cannot be read is a warning: whoever checks need not be
// the user, nor on the machine, that will run the agent.
int Check(const pgvalet::config::Loaded& loaded) {
  for (const std::string& warning : loaded.warnings) Warn(warning);
  if (const std::string& path = loaded.settings->auth_file; !path.empty()) {
    const auto users = pgvalet::auth::UserDirectory::Load(path);
    if (!users && users.error().code != pgvalet::ErrorCode::kIo) {
      return Complain(users.error(), kFailed);
    }
    if (!users) Warn(users.error().ToString() + "; pgvaletd will not start without it");
  }
  std::fputs(pgvalet::config::DescribeSettings(loaded).c_str(), stdout);
  return kOk;
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
    // What the rooms warn of is for stderr: stdout is the settings.
    if (Result<Done> log = StartLog(loaded->settings->log_level, ""); !log) {
      return Complain(log.error(), kFailed);
    }
    const int status = Check(*loaded);
    StopLog();
    return status;
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

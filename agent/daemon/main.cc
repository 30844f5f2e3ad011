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
#include "daemon/background.h"

using namespace pgvalet;  // NOLINT: this is the program

namespace {

const char* program = "pgvaletd";

// Exit statuses.
constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

int Complain(const Error& error, int status) {
  std::fprintf(stderr, "%s: %s\n", program, error.ToString().c_str());
  return status;
}

void Warn(const std::string& text) {
  std::fprintf(stderr, "%s: warning: %s\n", program, text.c_str());
}

// `pgvaletd --check`.  An auth_file that cannot be read is a warning: whoever checks need not be
// the user, nor on the machine, that will run the agent.
int Check(const config::Loaded& loaded) {
  for (const std::string& warning : loaded.warnings) Warn(warning);
  if (const std::string& path = loaded.settings->auth_file; !path.empty()) {
    const auto users = auth::UserDirectory::Load(path);
    if (!users && users.error().code != ErrorCode::kIo) {
      return Complain(users.error(), kFailed);
    }
    if (!users) Warn(users.error().ToString() + "; pgvaletd will not start without it");
  }
  std::fputs(config::DescribeSettings(loaded).c_str(), stdout);
  return kOk;
}

// What stops a start before anything is opened.
Result<Done> Prepare(const config::CommandLine& command_line, const config::Settings& settings) {
  if (!settings.user.empty()) {
    if (Result<Done> become = daemon::BecomeUser(settings.user); !become) return become.error();
  }
  if (command_line.as_pgbouncer && geteuid() == 0) {
    return Error{ErrorCode::kInvalidSetting, "PgBouncer should not run as root", 0,
                 "set user, or -u"};
  }
  if (command_line.is_daemon && settings.pidfile.empty()) {
    return Error{ErrorCode::kInvalidSetting, "a daemon needs a pidfile"};
  }
  return Done{};
}

int Serve(config::CommandLine command_line, const config::Environment& environment,
          config::Loaded loaded) {
  const config::SettingsPtr settings = loaded.settings;
  const bool is_quiet = command_line.is_quiet;
  const bool is_daemon = command_line.is_daemon;
  if (Result<Done> ready = Prepare(command_line, *settings); !ready) {
    return Complain(ready.error(), kFailed);
  }
  daemon::Background background;
  if (is_daemon) {
    Result<daemon::Background> entered = daemon::Background::Enter();
    if (!entered) return Complain(entered.error(), kFailed);
    background = std::move(*entered);
  }
  // Before any thread starts, the log's too, so that all of them leave the signals to Agent::Run().
  const sigset_t signals = daemon::Agent::Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  if (Result<Done> log = StartLog(daemon::LogOptionsOf(*settings, is_quiet)); !log) {
    return Complain(log.error(), kFailed);
  }
  if (command_line.is_reboot) {
    log::warn("-R: sockets of a running process are not taken over; this one starts by itself");
  }

  int status = kOk;
  {
    daemon::Agent agent(std::move(command_line), environment, std::move(loaded));
    if (Result<Done> started = agent.Start(); started) {
      if (is_daemon) {
        [[maybe_unused]] const Result<Done> log = StartLog(daemon::LogOptionsOf(*settings, true));
      }
      background.Ready();
      daemon::NotifyManager("READY=1");
      agent.Run();
      daemon::NotifyManager("STOPPING=1");
    } else {
      log::critical("cannot start: {}", started.error().ToString());
      status = kFailed;
    }
  }
  StopLog();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const bool as_pgbouncer = argc > 0 && config::IsPgBouncerName(argv[0]);
  if (as_pgbouncer) program = "pgbouncer";
  Result<config::CommandLine> command_line = as_pgbouncer
                                                 ? config::ParsePgBouncerCommandLine(argc, argv)
                                                 : config::ParseCommandLine(argc, argv);
  if (!command_line) {
    // The detail alone is what PgBouncer says, with its status.
    if (!as_pgbouncer) return Complain(command_line.error(), kUsage);
    std::fprintf(stderr, "pgbouncer: %s\n", command_line.error().detail.c_str());
    return kFailed;
  }
  if (!command_line->print.empty()) {
    std::fputs(command_line->print.c_str(), stdout);
    return kOk;
  }
  config::HidePasswords(argc, argv);
  const config::Environment environment = config::ReadEnvironment(environ);
  Result<config::Loaded> loaded = config::Load(*command_line, environment);
  if (!loaded) return Complain(loaded.error(), kFailed);
  if (!command_line->check) {
    return Serve(std::move(*command_line), environment, std::move(*loaded));
  }
  // What the rooms warn of is for stderr: stdout is the settings.
  LogOptions options;
  options.level = loaded->settings->log_level;
  if (Result<Done> log = StartLog(options); !log) {
    return Complain(log.error(), kFailed);
  }
  const int status = Check(*loaded);
  StopLog();
  return status;
}

#include "cli/top/top.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "cli/client/client.h"
#include "cli/client/json.h"
#include "cli/client/watcher.h"
#include "cli/screen/output.h"
#include "cli/screen/signals.h"
#include "cli/top/live_top.h"
#include "cli/top/top_screen.h"

namespace pgvalet::cli {
namespace {

TopData DataOf(const Watcher::Report& report, const std::string& address) {
  TopData data;
  data.address = address;
  data.now = report.now;
  data.before = report.before;
  data.connections = report.connections;
  data.problem = report.problem;
  data.notice = report.notice;
  return data;
}

// One table per snapshot on stdout, complaints on stderr.
int RunPlain(const Common& common, const TopOptions& options, Watcher* watcher,
             const Signals& signals) {
  TopState state;
  state.view = options.view;
  watcher->WantConnections(state.needs_connections());
  std::int64_t printed = 0;
  int tables = 0;
  std::string told;
  while (true) {
    pollfd fds[2] = {{signals.fd(), POLLIN, 0}, {watcher->fd(), POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return kUnreachable;
    if (fds[0].revents != 0 && signals.Take() != Signals::kResize) return kOk;
    const Watcher::Report report = watcher->Take();
    if (!report.problem.empty() && report.snapshots == 0) {
      const Error error{ErrorCode::kIo, "", 0, report.problem};
      std::fputs(UnreachableText(common.address, error).c_str(), stderr);
      return kUnreachable;
    }
    if (report.problem != told) {
      told = report.problem;
      const std::string complaint =
          told.empty() ? report.notice : "no connection, trying again: " + told;
      if (!complaint.empty()) std::fprintf(stderr, "pgvalet: %s\n", complaint.c_str());
    }
    if (report.snapshots == printed || !report.now) continue;
    // The lists come behind the snapshot they belong to.
    if (state.needs_connections() && !report.connections) continue;
    printed = report.snapshots;
    const TopData data = DataOf(report, common.address);
    const std::string text = common.json
                                 ? ToJson(*report.now, true)
                                 : Render(PlainTop(data, state, OutputWidth()), UseColour());
    if (!Print(text)) return kOk;
    // Of two readings that came while one was printed only the newer is shown.
    if (options.iterations > 0 && ++tables >= options.iterations) return kOk;
  }
}

}  // namespace

int RunTop(const Common& common, const TopOptions& options) {
  // Before any thread is made, so that none of them takes a signal that is meant for us.
  const Signals signals;
  Watcher watcher(common, options.interval);
  const bool live =
      !options.plain && !common.json && OutputIsTerminal() && isatty(STDIN_FILENO) == 1;
  return live ? RunLive(common, options, &watcher, signals)
              : RunPlain(common, options, &watcher, signals);
}

}  // namespace pgvalet::cli

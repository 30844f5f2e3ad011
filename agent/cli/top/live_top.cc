#include "cli/top/live_top.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "cli/screen/output.h"
#include "cli/top/terminal.h"
#include "cli/top/top_screen.h"

namespace pgvalet::cli {
namespace {

using namespace std::chrono_literals;

// A notice is read in so long.
constexpr Duration kNoticeTime = 10s;

class LiveTop {
 public:
  LiveTop(const Common& common, const TopOptions& options, Terminal* terminal, Watcher* watcher)
      : common_(common), options_(options), terminal_(*terminal), watcher_(*watcher) {
    state_.view = options.view;
    watcher_.WantConnections(state_.needs_connections());
  }

  void Look() {
    Watcher::Report report = watcher_.Take();
    if (report.notice != notice_) {
      notice_ = report.notice;
      noticed_ = Clock::now();
    }
    snapshots_ = report.snapshots;
    latest_ = std::move(report);
    if (!state_.paused) shown_ = latest_;
  }

  void Press(Key key) {
    state_ = Apply(state_, key, extent_);
    watcher_.WantConnections(state_.needs_connections());
    if (!state_.paused) shown_ = latest_;
  }

  void Draw() {
    TopData data;
    data.address = common_.address;
    data.now = shown_.now;
    data.before = shown_.before;
    data.connections = shown_.connections;
    data.problem = latest_.problem;
    if (Clock::now() - noticed_ < kNoticeTime) data.notice = notice_;
    data.age_us = Since(shown_.received, Clock::now()).count();
    TopScreen screen = DrawTop(data, state_, terminal_.size());
    extent_ = screen.extent;
    terminal_.Draw(screen.lines);
  }

  bool finished() const {
    return state_.quit || (options_.iterations > 0 && snapshots_ >= options_.iterations);
  }

 private:
  const Common& common_;
  const TopOptions& options_;
  Terminal& terminal_;
  Watcher& watcher_;
  TopState state_;
  Extent extent_;
  Watcher::Report latest_;
  Watcher::Report shown_;  // older than latest_ while paused
  std::string notice_;
  Time noticed_{};
  std::int64_t snapshots_ = 0;
};

}  // namespace

int RunLive(const Common& common, const TopOptions& options, Watcher* watcher,
            const Signals& signals) {
  Result<std::unique_ptr<Terminal>> terminal = Terminal::Open(UseColour());
  if (!terminal) {
    std::fprintf(stderr, "pgvalet: %s; pgvalet top --plain does without\n",
                 terminal.error().ToString().c_str());
    return kUsage;
  }
  LiveTop top(common, options, terminal->get(), watcher);
  while (true) {
    top.Look();
    top.Draw();
    if (top.finished()) return kOk;
    pollfd fds[3] = {
        {signals.fd(), POLLIN, 0}, {watcher->fd(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    // Once a second also without news: ages go on, a lost agent does not freeze the view.
    if (poll(fds, 3, 1000) < 0 && errno != EINTR) return kOk;
    if (fds[0].revents != 0) {
      if (signals.Take() == Signals::kEnd) return kOk;
      (*terminal)->Resize();
    }
    if ((fds[2].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) return kOk;
    for (Key key = (*terminal)->ReadKey(); key != Key::kNone; key = (*terminal)->ReadKey()) {
      top.Press(key);
      top.Draw();  // the next key may need the new extent
    }
  }
}

}  // namespace pgvalet::cli

// AdminConsole: the console that sessions of the databases "pgbouncer" and "pgvalet" talk to.
//
// Commands run on threads of its own: some wait for long (PAUSE), none may hold up a core.
// docs/console.md tells what it understands.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/worker_threads.h"
#include "console/period.h"
#include "control/door.h"
#include "session/console.h"
#include "stats/event_log.h"

namespace pgvalet::console {

class AdminConsole final : public session::Console {
 public:
  // All of them outlive the console.
  AdminConsole(control::Door& door, const stats::SnapshotHub& hub, const stats::EventLog& events);
  ~AdminConsole() override { Stop(); }

  // Calls off what waits, and returns when nothing runs any more.
  void Stop();

  std::vector<std::pair<std::string, std::string>> Parameters() const override;
  void Execute(session::ConsoleCaller caller, std::string sql, std::stop_token stop,
               std::function<void(session::ConsoleAnswer)> done) override;

 private:
  session::ConsoleAnswer Answer(const session::ConsoleCaller& caller, const std::string& sql,
                                const std::stop_token& stop);

  control::Door& door_;
  Periods periods_;
  const stats::EventLog& events_;
  std::stop_source stopping_;
  WorkerThreads threads_;
};

}  // namespace pgvalet::console

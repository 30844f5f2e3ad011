#include "cli/loadtest/loadtest.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "cli/client/postgres.h"
#include "cli/client/watcher.h"
#include "cli/loadtest/backend_count.h"
#include "cli/loadtest/load_run.h"
#include "cli/loadtest/report.h"
#include "cli/screen/format.h"
#include "cli/screen/output.h"
#include "cli/screen/progress.h"
#include "cli/screen/signals.h"

namespace pgvalet::cli::loadtest {
namespace {

using namespace std::chrono_literals;

constexpr rlim_t kOwnDescriptors = 50;

int Complain(int exit_code, const std::string& text) {
  std::fprintf(stderr, "pgvalet: %s\n", text.c_str());
  return exit_code;
}

std::string TextOf(const Error& error) {
  const std::string text = error.detail.empty() ? error.what : error.detail;
  return error.sqlstate.empty() ? text : text + " (" + error.sqlstate + ")";
}

// A descriptor for each client; false: the system does not give so many.
bool RaiseDescriptors(int clients) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return true;
  const rlim_t needed = static_cast<rlim_t>(clients) + kOwnDescriptors;
  if (limit.rlim_cur >= needed) return true;
  if (limit.rlim_max < needed) return false;
  limit.rlim_cur = needed;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

// Which pool the requests are to go through.
struct PoolName {
  std::string database;
  std::string user;
};

std::int64_t ServersOf(const v1::Snapshot& snapshot, const PoolName& name) {
  for (const v1::Pool& pool : snapshot.pools()) {
    const v1::PoolGauges& now = pool.now();
    if (pool.database() == name.database && pool.user() == name.user)
      return now.servers_active() + now.servers_idle() + now.servers_connecting() +
             now.servers_testing() + now.servers_canceling();
  }
  return -1;
}

// The runs of one call, one after the other.
class LoadTest {
 public:
  LoadTest(const Common& common, const LoadTestOptions& options)
      : common_(common), options_(options) {}

  RunResult RunDirect(const ConnectionParameters& parameters) {
    return Run("direct", parameters, [](RunResult&) {});
  }

  // Beside it the agent says how many server connections the pool has.
  RunResult RunPool(const ConnectionParameters& parameters, const PoolName& name) {
    Watcher watcher(common_, 100ms);
    RunResult result = Run("pool", parameters, [&watcher, &name](RunResult& run) {
      const Watcher::Report report = watcher.Take();
      if (report.now)
        run.pool_connections = std::max(run.pool_connections, ServersOf(*report.now, name));
    });
    if (!watcher.Take().now) return result;
    // A run may be shorter than the time between two snapshots; the pool keeps what it opened.
    if (const Result<v1::Snapshot> last = GetSnapshot(common_))
      result.pool_connections = std::max(result.pool_connections, ServersOf(*last, name));
    return result;
  }

  void CountBackends(const ConnectionParameters& direct) {
    backends_ = std::make_unique<BackendCount>(direct, common_.timeout);
  }
  bool interrupted() const { return interrupted_; }

 private:
  RunResult Run(const char* title, const ConnectionParameters& parameters,
                const std::function<void(RunResult&)>& look) {
    if (backends_) backends_->Restart();
    Progress progress(title);
    RunResult seen;
    LoadRun run(options_.plan, WithAddress(parameters));
    RunResult result = run.Run(signals_.fd(), [&](const Tally& tally, Duration elapsed) {
      look(seen);
      Show(progress, tally, elapsed);
      return !Interrupted();
    });
    look(seen);
    result.pool_connections = seen.pool_connections;
    if (backends_) {
      result.database_connections = backends_->highest();
      result.database_connections_before = backends_->before();
    }
    return result;
  }

  void Show(Progress& progress, const Tally& tally, Duration elapsed) const {
    const std::int64_t planned = options_.plan.requests;
    progress.Show(static_cast<double>(tally.requests()) / static_cast<double>(planned),
                  fmt::format("{} of {}, {} failed, {}", tally.requests(), planned, tally.failed(),
                              Elapsed(elapsed.count())));
  }

  bool Interrupted() {
    pollfd one{signals_.fd(), POLLIN, 0};
    while (poll(&one, 1, 0) > 0) interrupted_ = signals_.Take() == Signals::kEnd || interrupted_;
    return interrupted_;
  }

  const Common& common_;
  const LoadTestOptions& options_;
  Signals signals_;  // before every thread, which then leave the signals to us
  std::unique_ptr<BackendCount> backends_;
  bool interrupted_ = false;
};

// One login, before a thousand of them fail alike.
Result<PoolName> TryPool(const Common& common, const ConnectionParameters& parameters) {
  const Result<Postgres> connection = Postgres::Open(parameters, common.timeout);
  if (!connection) return connection.error();
  return PoolName{PQdb(connection->raw()), PQuser(connection->raw())};
}

}  // namespace

int RunLoadTest(const Common& common, const LoadTestOptions& options) {
  const Result<ConnectionParameters> pool = ParseConninfo(options.pool_uri);
  if (!pool) return Complain(kUsage, "--pool: " + pool.error().detail);
  const Result<ConnectionParameters> direct =
      ParseConninfo(options.direct_uri.empty() ? options.pool_uri : options.direct_uri);
  if (!direct) return Complain(kUsage, "--direct: " + direct.error().detail);
  if (!RaiseDescriptors(options.plan.clients))
    return Complain(kUsage,
                    "this system does not let us open so many connections at one time: "
                    "see ulimit -n, or lower --clients");
  const Result<PoolName> name = TryPool(common, *pool);
  if (!name)
    return Complain(kNo, "no connection through the pool: " + TextOf(name.error()) +
                             "\nRun pgvalet doctor --agent-uri with the same connection string.");

  LoadTest test(common, options);
  Report report{options.plan, {}, {}};
  // The pool comes last: the connections that it keeps would be in the way of the other run.
  if (!options.direct_uri.empty()) {
    test.CountBackends(*direct);
    report.direct = test.RunDirect(*direct);
  }
  if (test.interrupted())
    report.pool.interrupted = true;
  else
    report.pool = test.RunPool(*pool, *name);
  Print(common.json ? ReportToJson(report)
                    : Render(ReportLines(report, OutputWidth()), UseColour()));
  const bool enough = report.pool.tally.percent_succeeded() >= options.fail_under;
  return enough ? kOk : kNo;
}

}  // namespace pgvalet::cli::loadtest

#include "cli/advise/advise.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "cli/advise/advice_report.h"
#include "cli/client/client.h"
#include "cli/screen/format.h"
#include "cli/screen/output.h"
#include "cli/screen/progress.h"

namespace pgvalet::cli::advise {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 100ms;
constexpr std::int64_t kUsualReserve = 3;  // PostgreSQL's default

void Nap() { poll(nullptr, 0, static_cast<int>(kTick.count())); }

void WaitFor(Duration time) {
  Progress progress("measuring");
  const Time start = Clock::now();
  for (Time now = start; now < start + time; now = Clock::now()) {
    const double share = std::chrono::duration<double>(now - start) / time;
    progress.Show(share, Elapsed(Since(start, now).count()) + " of " + Elapsed(time.count()));
    Nap();
  }
}

// Newer than `earlier`: the agent makes one in a while only.
Result<v1::Snapshot> NextSnapshot(const Common& common, const v1::Snapshot& earlier) {
  const Time deadline = Clock::now() + Duration(earlier.interval_us()) + common.timeout;
  while (true) {
    Result<v1::Snapshot> next = GetSnapshot(common);
    if (!next || next->sequence() != earlier.sequence()) return next;
    if (Clock::now() > deadline) return Error{ErrorCode::kTimeout, "no newer snapshot in time"};
    Nap();
  }
}

int Measured(const Common& common, const AdviseOptions& options) {
  const Result<v1::Snapshot> earlier = GetSnapshot(common);
  if (!earlier) return Complain(common, earlier.error());
  WaitFor(options.measure);
  const Result<v1::Snapshot> later = NextSnapshot(common, *earlier);
  if (!later) return Complain(common, later.error());
  if (Microseconds(earlier->agent().started_at()) != Microseconds(later->agent().started_at())) {
    std::fputs("pgvalet: the agent was restarted while it was measured; try again\n", stderr);
    return kNo;
  }
  const MeasuredReport report = Measure(*earlier, *later, options.goal);
  Print(common.json ? ReportToJson(report)
                    : Render(ReportLines(report, OutputWidth()), UseColour()));
  return kOk;
}

// From the agent's server, as far as it is not given.
Result<PlannedReport> Plan(const Common& common, const AdviseOptions& options) {
  PlannedReport report;
  report.fleet = {.workers = *options.workers,
                  .connections_per_worker = options.connections_per_worker,
                  .max_connections = options.max_connections.value_or(0),
                  .reserved_connections = options.reserved.value_or(kUsualReserve),
                  .pools = options.pools};
  report.source = options.reserved ? "as given" : "as given, 3 reserved as PostgreSQL has it";
  if (options.max_connections) return report;
  const Result<v1::Snapshot> snapshot = GetSnapshot(common);
  if (!snapshot) return snapshot.error();
  if (!snapshot->extension().available())
    return Error{ErrorCode::kInvalidSetting, "", 0,
                 "the agent does not know the server's max_connections (" +
                     (snapshot->extension().reason().empty() ? std::string("not read yet")
                                                             : snapshot->extension().reason()) +
                     "): name it with --max-connections"};
  const v1::ServerSummary& summary = snapshot->extension().summary();
  report.fleet.max_connections = summary.max_connections();
  report.fleet.reserved_connections = options.reserved.value_or(summary.reserved_connections());
  report.source = "as the agent at " + common.address + " says";
  return report;
}

int Planned(const Common& common, const AdviseOptions& options) {
  Result<PlannedReport> report = Plan(common, options);
  if (!report) {
    const int exit_code = Complain(common, report.error());
    if (exit_code == kUnreachable)
      std::fputs("Without an agent name the server's limit with --max-connections.\n", stderr);
    return exit_code;
  }
  report->advice = advice::SizeForFleet(report->fleet);
  Print(common.json ? ReportToJson(*report) : Render(ReportLines(*report), UseColour()));
  return kOk;
}

}  // namespace

int RunAdvise(const Common& common, const AdviseOptions& options) {
  return options.workers ? Planned(common, options) : Measured(common, options);
}

}  // namespace pgvalet::cli::advise

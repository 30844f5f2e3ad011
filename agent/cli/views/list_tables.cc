#include "cli/views/list_tables.h"

#include <algorithm>
#include <cstdint>

#include "cli/screen/format.h"
#include "cli/screen/text.h"

namespace pgvalet::cli {
namespace {

double Number(std::int64_t value) { return static_cast<double>(value); }

Line AlertHead(const v1::Alert& alert, const google::protobuf::Timestamp& now) {
  Line line;
  switch (alert.severity()) {
    case v1::SEVERITY_CRITICAL:
      line.Add("critical ", Style::kBad);
      break;
    case v1::SEVERITY_WARNING:
      line.Add("warning  ", Style::kWarning);
      break;
    default:
      line.Add("info     ", Style::kPlain);
      break;
  }
  line.Add(Printable(alert.component()), Style::kBold);
  line.Add(": " + Printable(alert.message()));
  line.Add("  (" + Printable(alert.name()) + ", for " + Elapsed(Between(alert.since(), now)) + ")",
           Style::kDim);
  return line;
}

}  // namespace

std::string ReasonsText(const v1::Pin& pin) {
  std::string text;
  for (const v1::PinReason& reason : pin.reasons()) {
    std::string name = reason.reason();
    std::replace(name.begin(), name.end(), '_', ' ');
    text += (text.empty() ? "" : ", ") + name;
    if (reason.object_count() > 1) text += " (" + std::to_string(reason.object_count()) + ")";
  }
  return text;
}

SortedTable PinsTable(const v1::Snapshot& snapshot) {
  SortedTable table({{"DATABASE", Align::kLeft, 8},
                     {"USER", Align::kLeft, 8},
                     {"FOR", Align::kRight},
                     {"REASONS", Align::kLeft, 12},
                     {"BACKEND", Align::kRight},
                     {"CLIENT", Align::kLeft, 9},
                     {"APPLICATION", Align::kLeft, 10}},
                    {"name", "age"});
  for (const v1::Pin& pin : snapshot.pins()) {
    table.Add({pin.database(), pin.user(), Elapsed(pin.age_us()), ReasonsText(pin),
               std::to_string(pin.server_pid()), pin.client(), pin.application_name()},
              {Number(pin.age_us())},
              {.database = pin.database(),
               .user = pin.user(),
               .application_name = pin.application_name(),
               .server_pid = pin.server_pid()});
  }
  return table;
}

SortedTable ReportedPoolsTable(const v1::Snapshot& snapshot) {
  const Align right = Align::kRight;
  SortedTable table({{"APPLICATION", Align::kLeft, 10},
                     {"POOL", Align::kLeft, 6},
                     {"INSTANCE", Align::kLeft, 6},
                     {"KIND"},
                     {"in use", right, 0, "CONNECTIONS"},
                     {"idle", right, 0, "CONNECTIONS"},
                     {"max", right, 0, "CONNECTIONS"},
                     {"WAITING", right},
                     {"checkout", right, 0, "SINCE START"},
                     {"timeout", right, 0, "SINCE START"},
                     {"error", right, 0, "SINCE START"},
                     {"waited", right, 0, "SINCE START"},
                     {"REPORTED", right},
                     {"TARGET", Align::kLeft, 6}},
                    {"name", "waiting", "in use", "timeouts"});
  for (const v1::ReportedPool& pool : snapshot.reported_pools()) {
    const Style waiting = pool.waiting() > 0 ? Style::kWarning : Style::kPlain;
    const bool has_max = pool.max_connections() > 0;
    table.Add({pool.application(),
               pool.name(),
               pool.instance().empty() ? "-" : pool.instance(),
               pool.kind().empty() ? "-" : pool.kind(),
               Count(pool.in_use()),
               Count(pool.idle()),
               has_max ? Count(pool.max_connections()) : "-",
               {Count(pool.waiting()), waiting},
               Count(pool.checkout_count()),
               Count(pool.timeout_count()),
               Count(pool.error_count()),
               Elapsed(pool.wait_us()),
               Elapsed(pool.age_us()) + " ago",
               pool.target().empty() ? "-" : pool.target()},
              {Number(pool.waiting()), Number(pool.in_use()), Number(pool.timeout_count())});
  }
  return table;
}

Lines AlertLines(const v1::Snapshot& snapshot) {
  Lines lines;
  for (const v1::Alert& alert : snapshot.alerts()) {
    lines.push_back(AlertHead(alert, snapshot.time()));
    if (alert.recommendation().empty()) continue;
    lines.emplace_back("         -> " + Printable(alert.recommendation()));
  }
  return lines;
}

}  // namespace pgvalet::cli

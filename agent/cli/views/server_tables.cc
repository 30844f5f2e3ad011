#include "cli/views/server_tables.h"

#include <map>
#include <string>
#include <utility>

#include "cli/screen/format.h"

namespace pgvalet::cli {
namespace {

using Rows = google::protobuf::RepeatedPtrField<v1::Usage>;

// What sessions did between two readings of the extension, per second.
struct CostRates {
  bool known = false;
  double transactions = 0;
  double statements = 0;
  double errors = 0;
  double sent_bytes = 0;
  double active = 0;  // seconds of work per second: 2.5 means two and a half busy backends
};

double Seconds(const v1::Snapshot& now, const v1::Snapshot* before) {
  if (before == nullptr) return 0;
  return static_cast<double>(
             Between(before->extension().sampled_at(), now.extension().sampled_at())) /
         1e6;
}

CostRates RatesOf(const v1::SessionCosts& now, const v1::SessionCosts* before, double seconds) {
  CostRates rates;
  if (before == nullptr || seconds <= 0) return rates;
  // A server that restarted counts from 0 again.
  const auto per_second = [seconds](std::int64_t later, std::int64_t earlier) {
    return later > earlier ? static_cast<double>(later - earlier) / seconds : 0.0;
  };
  rates.known = true;
  rates.transactions = per_second(now.xact_commit_count() + now.xact_rollback_count(),
                                  before->xact_commit_count() + before->xact_rollback_count());
  rates.statements = per_second(now.statement_count(), before->statement_count());
  rates.errors = per_second(now.error_count(), before->error_count());
  rates.sent_bytes = per_second(now.sent_bytes(), before->sent_bytes());
  rates.active = per_second(now.active_us(), before->active_us()) / 1e6;
  return rates;
}

std::string Known(const CostRates& rates, std::string text) {
  return rates.known ? std::move(text) : "-";
}

Style StateStyle(const std::string& state) {
  if (state == "active") return Style::kGood;
  if (state.substr(0, 19) == "idle in transaction") return Style::kWarning;
  return Style::kPlain;
}

// "idle in transaction" fills a quarter of a narrow screen.
std::string ShortState(std::string state) {
  const std::size_t found = state.find("transaction");
  return found == std::string::npos ? state : state.replace(found, 11, "txn");
}

std::string Client(const v1::Backend& backend) {
  if (backend.client_addr().empty()) return "local";
  const bool ipv6 = backend.client_addr().find(':') != std::string::npos;
  return (ipv6 ? "[" + backend.client_addr() + "]" : backend.client_addr()) + ":" +
         std::to_string(backend.client_port());
}

std::string Via(const v1::Backend& backend) {
  return backend.agent_name().empty() ? backend.connection_kind() : backend.agent_name();
}

const Rows& UsageRows(const v1::Extension& extension, UsageBy by) {
  switch (by) {
    case UsageBy::kRole:
      return extension.usage_by_role();
    case UsageBy::kDatabase:
      return extension.usage_by_database();
    case UsageBy::kApplication:
      break;
  }
  return extension.usage_by_application();
}

SortedTable EmptyBackendsTable() {
  const Align right = Align::kRight;
  return SortedTable({{"PID", right},
                      {"DATABASE", Align::kLeft, 8},
                      {"ROLE", Align::kLeft, 8},
                      {"APPLICATION", Align::kLeft, 10},
                      {"STATE"},
                      {"FOR", right},
                      {"BUSY", right},
                      {"TXN/s", right},
                      {"STMT/s", right},
                      {"ERRORS", right},
                      {"SENT/s", right},
                      {"WAL", right},
                      {"TEMP", right},
                      {"VIA", Align::kLeft, 6},
                      {"CLIENT", Align::kLeft, 9},
                      {"CONNECTED", right}},
                     {"pid", "busy", "time in state", "transactions", "WAL", "temp", "age"});
}

void AddBackend(SortedTable* table, const v1::Backend& backend, const CostRates& rates,
                const google::protobuf::Timestamp& time) {
  const v1::SessionCosts& costs = backend.costs();
  const std::int64_t in_state = Between(backend.state_since(), time);
  const std::int64_t age = Between(backend.connected_at(), time);
  const double wal_bytes = static_cast<double>(costs.wal_bytes());
  const double temp_bytes = static_cast<double>(costs.temp_bytes());
  table->Add({std::to_string(backend.pid()),
              backend.database_name(),
              backend.role_name(),
              backend.application_name(),
              {ShortState(backend.state()), StateStyle(backend.state())},
              Elapsed(in_state),
              Known(rates, Percent(rates.active)),
              Known(rates, Rate(rates.transactions)),
              Known(rates, Rate(rates.statements)),
              Count(costs.error_count()),
              Known(rates, Size(rates.sent_bytes)),
              Size(wal_bytes),
              Size(temp_bytes),
              Via(backend),
              Client(backend),
              Elapsed(age)},
             {rates.active, static_cast<double>(in_state), rates.transactions, wal_bytes,
              temp_bytes, static_cast<double>(age)},
             {.database = backend.database_name(),
              .user = backend.role_name(),
              .application_name = backend.application_name(),
              .server_pid = backend.pid()});
}

SortedTable EmptyUsageTable(UsageBy by) {
  const Align right = Align::kRight;
  std::string title = UsageByName(by);
  for (char& c : title) c = static_cast<char>(c - 'a' + 'A');
  return SortedTable({{title, Align::kLeft, 10},
                      {"now", right, 0, "SESSIONS"},
                      {"total", right, 0, "SESSIONS"},
                      {"busy", right, 0, "PER SECOND"},
                      {"txn", right, 0, "PER SECOND"},
                      {"stmt", right, 0, "PER SECOND"},
                      {"error", right, 0, "PER SECOND"},
                      {"sent", right, 0, "PER SECOND"},
                      {"txn", right, 0, "SINCE START"},
                      {"active", right, 0, "SINCE START"},
                      {"idle in txn", right, 0, "SINCE START"},
                      {"error", right, 0, "SINCE START"},
                      {"blocks read", right, 0, "SINCE START"},
                      {"WAL", right, 0, "SINCE START"},
                      {"temp", right, 0, "SINCE START"}},
                     {"name", "busy", "transactions", "sessions now", "active", "WAL", "temp"});
}

void AddUsage(SortedTable* table, const v1::Usage& usage, const CostRates& rates) {
  const v1::SessionCosts& costs = usage.costs();
  const double wal_bytes = static_cast<double>(costs.wal_bytes());
  const double temp_bytes = static_cast<double>(costs.temp_bytes());
  table->Add(
      {usage.name().empty() ? "(none)" : usage.name(), Count(usage.live_session_count()),
       Count(usage.session_count()), Known(rates, Percent(rates.active)),
       Known(rates, Rate(rates.transactions)), Known(rates, Rate(rates.statements)),
       Known(rates, Rate(rates.errors)), Known(rates, Size(rates.sent_bytes)),
       Count(costs.xact_commit_count() + costs.xact_rollback_count()), Elapsed(costs.active_us()),
       Elapsed(costs.idle_in_transaction_us()), Count(costs.error_count()),
       Count(costs.block_read_count()), Size(wal_bytes), Size(temp_bytes)},
      {rates.active, rates.transactions, static_cast<double>(usage.live_session_count()),
       static_cast<double>(costs.active_us()), wal_bytes, temp_bytes},
      // Of what it is grouped by: the reader knows.
      {.database = usage.name(), .user = usage.name(), .application_name = usage.name()});
}

// One row per backend, by pid.
template <typename Rates>
SortedTable TableOf(const v1::Snapshot& now, const Rates& rates_of) {
  std::map<int, const v1::Backend*> by_pid;
  for (const v1::Backend& backend : now.extension().backends()) by_pid[backend.pid()] = &backend;
  SortedTable table = EmptyBackendsTable();
  for (const auto& [pid, backend] : by_pid) {
    AddBackend(&table, *backend, rates_of(*backend), now.extension().sampled_at());
  }
  return table;
}

}  // namespace

const char* UsageByName(UsageBy by) {
  switch (by) {
    case UsageBy::kRole:
      return "role";
    case UsageBy::kDatabase:
      return "database";
    case UsageBy::kApplication:
      break;
  }
  return "application";
}

SortedTable BackendsTable(const v1::Snapshot& now, const v1::Snapshot* before) {
  std::map<std::pair<int, std::int64_t>, const v1::SessionCosts*> earlier;
  if (before != nullptr)
    for (const v1::Backend& backend : before->extension().backends())
      earlier[{backend.pid(), Microseconds(backend.connected_at())}] = &backend.costs();
  const double seconds = Seconds(now, before);
  return TableOf(now, [&](const v1::Backend& backend) {
    const auto found = earlier.find({backend.pid(), Microseconds(backend.connected_at())});
    const v1::SessionCosts* costs_before = found != earlier.end() ? found->second : nullptr;
    return RatesOf(backend.costs(), costs_before, seconds);
  });
}

SortedTable BackendAveragesTable(const v1::Snapshot& now) {
  const v1::SessionCosts nothing;
  return TableOf(now, [&](const v1::Backend& backend) {
    const std::int64_t age_us = Between(backend.connected_at(), now.extension().sampled_at());
    return RatesOf(backend.costs(), &nothing, static_cast<double>(age_us) / 1e6);
  });
}

SortedTable UsageTable(const v1::Snapshot& now, const v1::Snapshot* before, UsageBy by) {
  std::map<std::string, const v1::SessionCosts*> earlier;
  if (before != nullptr)
    for (const v1::Usage& usage : UsageRows(before->extension(), by))
      earlier[usage.name()] = &usage.costs();
  std::map<std::string, const v1::Usage*> by_name;
  for (const v1::Usage& usage : UsageRows(now.extension(), by)) by_name[usage.name()] = &usage;

  SortedTable table = EmptyUsageTable(by);
  const double seconds = Seconds(now, before);
  for (const auto& [name, usage] : by_name) {
    const auto found = earlier.find(name);
    const v1::SessionCosts* costs_before = found != earlier.end() ? found->second : nullptr;
    AddUsage(&table, *usage, RatesOf(usage->costs(), costs_before, seconds));
  }
  return table;
}

}  // namespace pgvalet::cli

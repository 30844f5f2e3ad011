// SHOW STATS, STATS_TOTALS, STATS_AVERAGES and TOTALS.
#include <fmt/format.h>

#include <array>
#include <map>

#include "console/show.h"

namespace pgvalet::console {
namespace {

using wire::ColumnType;

// PgBouncer's counters, in its order.
enum Count : std::size_t {
  kAssignments,
  kTransactions,
  kQueries,
  kReceived,
  kSent,
  kTransactionTime,
  kQueryTime,
  kWaitTime,
  kClientParses,
  kServerParses,
  kBinds,
  kClientLogins,
  kCounts
};
using Counts = std::array<std::uint64_t, kCounts>;
using Names = std::array<std::string_view, kCounts>;

constexpr Names kTotalNames = {"total_server_assignment_count",
                               "total_xact_count",
                               "total_query_count",
                               "total_received",
                               "total_sent",
                               "total_xact_time",
                               "total_query_time",
                               "total_wait_time",
                               "total_client_parse_count",
                               "total_server_parse_count",
                               "total_bind_count",
                               "total_client_login_count"};
constexpr Names kAverageNames = {"avg_server_assignment_count",
                                 "avg_xact_count",
                                 "avg_query_count",
                                 "avg_recv",
                                 "avg_sent",
                                 "avg_xact_time",
                                 "avg_query_time",
                                 "avg_wait_time",
                                 "avg_client_parse_count",
                                 "avg_server_parse_count",
                                 "avg_bind_count",
                                 "avg_client_login_count"};
constexpr Names kPlainTotalNames = {"server_assignment_count",
                                    "xact_count",
                                    "query_count",
                                    "bytes_received",
                                    "bytes_sent",
                                    "xact_time",
                                    "query_time",
                                    "wait_time",
                                    "client_parse_count",
                                    "server_parse_count",
                                    "bind_count",
                                    "client_login_count"};
// The prefixes are mixed in PgBouncer, too.
constexpr Names kPlainAverageNames = {"server_assignment_count",
                                      "xact_count",
                                      "query_count",
                                      "bytes_received",
                                      "bytes_sent",
                                      "xact_time",
                                      "query_time",
                                      "wait_time",
                                      "avg_client_parse_count",
                                      "avg_server_parse_count",
                                      "avg_bind_count",
                                      "avg_client_login_count"};
constexpr Names kTotalsRows = {"server_assignment_count",
                               "xact_count",
                               "query_count",
                               "client_bytes",
                               "server_bytes",
                               "xact_time",
                               "query_time",
                               "wait_time",
                               "ps_client_parse_count",
                               "ps_server_parse_count",
                               "ps_bind_count",
                               "client_login_count"};

Counts CountsOf(const stats::PoolTotals& totals) {
  Counts counts{};
  counts[kAssignments] = totals.leases;
  counts[kTransactions] = totals.transactions;
  counts[kQueries] = totals.queries;
  counts[kReceived] = totals.from_clients_bytes;
  counts[kSent] = totals.to_clients_bytes;
  counts[kTransactionTime] = totals.transaction_time.sum_us;
  counts[kQueryTime] = totals.query_time.sum_us;
  counts[kWaitTime] = totals.wait_time.sum_us;
  counts[kClientParses] = totals.client_parses;
  counts[kServerParses] = totals.server_parses;
  counts[kBinds] = totals.binds;
  counts[kClientLogins] = totals.client_logins;
  return counts;
}

void Add(Counts& sum, const Counts& more) {
  for (std::size_t i = 0; i < kCounts; ++i) sum[i] += more[i];
}

using ByDatabase = std::map<std::string, Counts>;

// Of all pools, by database; the console's own is there, and counts nothing.
ByDatabase CountsOf(const stats::SnapshotPtr& snapshot) {
  ByDatabase databases;
  databases["pgbouncer"] = {};
  if (!snapshot) return databases;
  for (const stats::PoolSnapshot& pool : snapshot->pools) {
    Add(databases[pool.database], CountsOf(pool.totals));
  }
  return databases;
}

// What happened in a period, as averages: times are microseconds for each of what they are of, the
// rest is per second.
Counts Averages(const Counts& begin, const Counts& end, Duration length) {
  Counts averages{};
  const double seconds = std::chrono::duration<double>(length).count();
  const auto grown = [&](std::size_t i) { return end[i] > begin[i] ? end[i] - begin[i] : 0; };
  for (std::size_t i = 0; i < kCounts && seconds > 0; ++i) {
    averages[i] = static_cast<std::uint64_t>(static_cast<double>(grown(i)) / seconds);
  }
  const auto each = [&](Count time, Count of) {
    averages[time] = grown(of) > 0 ? grown(time) / grown(of) : 0;
  };
  each(kTransactionTime, kTransactions);
  each(kQueryTime, kQueries);
  return averages;
}

ByDatabase AveragesOf(const Period& period) {
  const ByDatabase begin = CountsOf(period.begin);
  const ByDatabase end = CountsOf(period.end);
  const Duration length = period.begin && period.end
                              ? Since(period.begin->steady_time, period.end->steady_time)
                              : Duration{0};
  ByDatabase averages;
  for (const auto& [database, counts] : end) {
    const auto before = begin.find(database);
    averages[database] =
        Averages(before != begin.end() ? before->second : Counts{}, counts, length);
  }
  return averages;
}

void AppendColumns(Table& table, const Names& names) {
  for (const std::string_view name : names) table.columns.push_back({name, ColumnType::kNumeric});
}

void AppendFields(std::vector<wire::Field>& row, const Counts& counts) {
  for (const std::uint64_t count : counts) row.push_back(Number(count));
}

Table NewTable() {
  Table table;
  table.columns = {{"database", ColumnType::kText}};
  return table;
}

Table OneBlock(const ByDatabase& databases, const Names& names) {
  Table table = NewTable();
  AppendColumns(table, names);
  for (const auto& [database, counts] : databases) {
    table.rows.push_back({database});
    AppendFields(table.rows.back(), counts);
  }
  return table;
}

}  // namespace

std::string StatsLine(const Period& period) {
  const auto all_of = [](const stats::SnapshotPtr& snapshot) {
    Counts sum{};
    for (const auto& [database, counts] : CountsOf(snapshot)) Add(sum, counts);
    return sum;
  };
  const Counts average = Averages(all_of(period.begin), all_of(period.end),
                                  Since(period.begin->steady_time, period.end->steady_time));
  return fmt::format(
      "stats: {} xacts/s, {} queries/s, {} client parses/s, {} server parses/s, {} binds/s, "
      "in {} B/s, out {} B/s, xact {} us, query {} us, wait {} us",
      average[kTransactions], average[kQueries], average[kClientParses], average[kServerParses],
      average[kBinds], average[kReceived], average[kSent], average[kTransactionTime],
      average[kQueryTime], average[kWaitTime]);
}

Result<Table> ShowStats(const Scene& scene) {
  ByDatabase averages = AveragesOf(scene.periods.Last());
  Table table = OneBlock(CountsOf(scene.door.Snapshot()), kTotalNames);
  AppendColumns(table, kAverageNames);
  for (std::vector<wire::Field>& row : table.rows) AppendFields(row, averages[*row.front()]);
  return table;
}

Result<Table> ShowStatsTotals(const Scene& scene) {
  return OneBlock(CountsOf(scene.door.Snapshot()), kPlainTotalNames);
}

Result<Table> ShowStatsAverages(const Scene& scene) {
  ByDatabase averages = AveragesOf(scene.periods.Last());
  averages["pgbouncer"];
  return OneBlock(averages, kPlainAverageNames);
}

Result<Table> ShowTotals(const Scene& scene) {
  Counts totals{};
  Counts averages{};
  for (const auto& [database, counts] : CountsOf(scene.door.Snapshot())) Add(totals, counts);
  for (const auto& [database, counts] : AveragesOf(scene.periods.Last())) Add(averages, counts);
  Table table;
  table.columns = {{"name", ColumnType::kText}, {"value", ColumnType::kNumeric}};
  for (std::size_t i = 0; i < kCounts; ++i) {
    table.rows.push_back({"total_" + std::string(kTotalsRows[i]), Number(totals[i])});
  }
  for (std::size_t i = 0; i < kCounts; ++i) {
    table.rows.push_back({"avg_" + std::string(kTotalsRows[i]), Number(averages[i])});
  }
  return table;
}

}  // namespace pgvalet::console

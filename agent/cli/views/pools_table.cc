#include "cli/views/pools_table.h"

#include "cli/screen/format.h"

namespace pgvalet::cli {
namespace {

// Nobody waits: nothing to look at.  Somebody waits: look.  For a second: now.
Style WaitStyle(const v1::PoolGauges& now) {
  if (now.clients_waiting() == 0) return Style::kPlain;
  return now.longest_wait_us() >= 1000000 ? Style::kBad : Style::kWarning;
}

Style ErrorStyle(double per_second) { return per_second > 0 ? Style::kWarning : Style::kPlain; }

std::string P99(const v1::Percentiles& percentiles) {
  return percentiles.value_count() == 0 ? "-" : Elapsed(percentiles.p99_us());
}

}  // namespace

SortedTable PoolsTable(const v1::Snapshot& snapshot) {
  const Align right = Align::kRight;
  SortedTable table({{"DATABASE", Align::kLeft, 8},
                     {"USER", Align::kLeft, 8},
                     {"active", right, 0, "CLIENTS"},
                     {"wait", right, 0, "CLIENTS"},
                     {"idle", right, 0, "CLIENTS"},
                     {"active", right, 0, "SERVERS"},
                     {"idle", right, 0, "SERVERS"},
                     {"conn", right, 0, "SERVERS"},
                     {"max", right, 0, "SERVERS"},
                     {"txn", right, 0, "PER SECOND"},
                     {"query", right, 0, "PER SECOND"},
                     {"wait", right, 0, "P99"},
                     {"txn", right, 0, "P99"},
                     {"query", right, 0, "P99"},
                     {"waiting", right, 0, "LONGEST"},
                     {"error", right, 0, "PER SECOND "},
                     {"in", right, 0, "PER SECOND "},
                     {"out", right, 0, "PER SECOND "},
                     {"MODE"}},
                    {"name", "clients waiting", "transactions", "queries", "wait p99",
                     "transaction p99", "clients"});
  for (const v1::Pool& pool : snapshot.pools()) {
    const v1::PoolGauges& now = pool.now();
    const v1::PoolWindow& window = pool.window();
    const std::int64_t clients = now.clients_active() + now.clients_waiting() + now.clients_idle();
    table.Add(
        {pool.database(),
         pool.user(),
         Count(now.clients_active()),
         {Count(now.clients_waiting()), WaitStyle(now)},
         Count(now.clients_idle()),
         Count(now.servers_active()),
         Count(now.servers_idle()),
         Count(now.servers_connecting() + now.servers_testing() + now.servers_canceling()),
         Count(now.pool_size()),
         Rate(window.transactions_per_s()),
         Rate(window.queries_per_s()),
         P99(window.wait_time()),
         P99(window.transaction_time()),
         P99(window.query_time()),
         {Elapsed(now.longest_wait_us()), WaitStyle(now)},
         {Rate(window.errors_per_s()), ErrorStyle(window.errors_per_s())},
         Size(window.from_clients_bytes_per_s()),
         Size(window.to_clients_bytes_per_s()),
         pool.pool_mode()},
        {static_cast<double>(now.clients_waiting()), window.transactions_per_s(),
         window.queries_per_s(), static_cast<double>(window.wait_time().p99_us()),
         static_cast<double>(window.transaction_time().p99_us()), static_cast<double>(clients)},
        {.database = pool.database(), .user = pool.user()});
  }
  return table;
}

}  // namespace pgvalet::cli

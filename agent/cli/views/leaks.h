// What is held for long and not used: transactions left open, clients that keep a server
// connection; pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/screen/sorted_table.h"
#include "pgvalet/v1/control.pb.h"
#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::cli {

struct Leak {
  std::string kind;  // "open_transaction", "unused_lease" or "long_pin"
  std::string database{};
  std::string user{};
  std::string application_name{};
  std::string client{};         // who holds it; an address
  std::uint64_t client_id = 0;  // at the agent; 0: not known, or it came past the agent
  std::int64_t server_pid = 0;
  std::int64_t age_us = 0;  // for how long
  std::string state{};      // in words
};

// Everything of at least this age, the oldest first.
//   open_transaction  a backend that is idle in a transaction (needs the extension)
//   unused_lease      a client that holds a server connection and has asked nothing for so long
//   long_pin          a client that keeps its server connection between transactions for so long
// A backend is told of once.
std::vector<Leak> LeaksOf(const v1::Snapshot& snapshot, const v1::ListClientsResponse& clients,
                          std::int64_t min_age_us);

SortedTable LeaksTable(const std::vector<Leak>& leaks);

}  // namespace pgvalet::cli

// Pool size: how many server connections a pool needs, with the arithmetic shown.
//
// Two ways.  From what was measured: arrivals and holding times make the mean number of busy server
// connections (Little's law: L = lambda x W), and the queue M/M/c with Erlang's C formula says how
// many more keep the waits short (A. K. Erlang 1917; J. D. C. Little 1961; D. Gross and others,
// Fundamentals of Queueing Theory, chapter on M/M/c).  Or from what is planned: workers times their
// connections against the server's max_connections.
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "stats/snapshot.h"

namespace pgvalet::advice {

// What a pool does.
struct Load {
  double leases_per_s = 0;
  double held_s = 0;  // how long one lease is held, in the mean
};

// Of what was counted during `time`.  In session mode a lease is held for the whole session, which
// no counter knows of: the result is too small there.
Load LoadOf(const stats::PoolTotals& counted, Duration time);

// Which waits are good enough: `share` of all leases wait for at most `wait_s`.
struct WaitGoal {
  double wait_s = 0.010;
  double share = 0.99;
};

struct PoolSizeAdvice {
  std::int64_t pool_size = 1;
  std::vector<std::string> arithmetic;  // line by line
};

// The smallest pool that meets the goal.  Loads that are not finite or negative count as none.
PoolSizeAdvice SizeForLoad(const Load& load, const WaitGoal& goal = {});

// Probability that a lease waits longer than `wait_s` in a pool of this size; 1 when the pool
// cannot keep up.
double ShareThatWaits(const Load& load, std::int64_t pool_size, double wait_s);

// Programs that are to use one server.
struct Fleet {
  std::int64_t workers = 0;
  std::int64_t connections_per_worker = 0;
  std::int64_t max_connections = 100;
  std::int64_t reserved_connections = 3;  // for superusers and reserved roles
  std::int64_t pools = 1;                 // pools that share the server, those of other agents too
};

struct FleetAdvice {
  std::int64_t pool_size = 1;
  std::int64_t max_client_conn = 1;
  bool fits_without_pool = false;
  std::vector<std::string> arithmetic;
};

// A fifth of what ordinary roles may have is left free, for administrators and what comes directly.
FleetAdvice SizeForFleet(const Fleet& fleet);

}  // namespace pgvalet::advice

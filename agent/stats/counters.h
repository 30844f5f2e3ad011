// Counters of the agent: what cores count while they work.
//
// Writer    the core that owns the object, and nobody else.
// Readers   the snapshot thread (stats/snapshot.h), at any moment, without a lock.
// Lifetime  held by std::shared_ptr in the registry below, so a pool that goes away
//           while it is being read stays valid for the reader.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/counter.h"
#include "base/histogram.h"
#include "stats/event_log.h"
#include "stats/lease_board.h"
#include "stats/pin_board.h"
#include "stats/reported_pools.h"

namespace pgvalet::stats {

// One pool, (database, user), on one core.
struct PoolCounters {
  // Identity; set before the object is registered, never changed.
  std::string database;  // as clients ask for it
  std::string user;
  std::string pool_mode;  // "session", "transaction" or "statement"
  int core = 0;

  // Clients of this pool now.  active + waiting + idle = all of them.
  Gauge clients_active;        // hold a lease
  Gauge clients_waiting;       // stand in the wait queue
  Gauge clients_idle;          // neither
  Gauge oldest_wait_start_us;  // when the first in the queue began to wait, steady clock us; 0:
                               // nobody waits

  // Server connections now.
  Gauge servers_active;      // leased
  Gauge servers_idle;        // free to lease
  Gauge servers_connecting;  // connecting or logging in
  Gauge servers_testing;     // running server_check_query or server_reset_query
  Gauge servers_canceling;   // kept back until a cancel request for them is done
  Gauge clients_pinned;      // of the active ones: hold a server connection between transactions
  Gauge pool_size;           // the limit in force for the whole pool, the same on every core

  Counter leases;          // leases granted
  Counter lease_timeouts;  // clients refused because query_wait_timeout passed
  Counter lease_waits;     // leases that were not granted at once
  Counter transactions;    // ended by ReadyForQuery 'I'
  Counter queries;         // ReadyForQuery of any status
  Counter errors;          // ErrorResponses passed to clients
  Counter from_clients_bytes;
  Counter to_clients_bytes;
  Counter from_servers_bytes;
  Counter to_servers_bytes;
  Counter client_parses;  // Parse messages of clients for named statements
  Counter server_parses;  // of these, sent to a server; and those we added ourselves
  Counter binds;
  Counter client_logins;
  Counter server_connects;                    // server connections opened and logged in
  Counter server_connects_without_extension;  // of server_connects
  Counter server_connect_failures;
  Counter server_closes;     // for any reason
  Counter setting_restores;  // leases that had to restore settings first
  Counter pins;              // transactions after which a client kept its server connection

  Histogram wait_time;         // from asking for a lease to having it; 0 when at once
  Histogram transaction_time;  // from lease to the end of the transaction
  Histogram query_time;        // from request to ReadyForQuery
};

// One core.
struct CoreCounters {
  int core = 0;
  Gauge clients;  // connected, also those still logging in
  Gauge clients_logging_in;
  Counter accepted;
  Counter login_failures;
  Counter refused;  // over max_client_conn, or shutting down
  Counter cancel_requests;
  Counter loop_wakeups;  // returns of the poller
  Counter busy_us;       // CPU time of the core's thread
  Gauge buffers_in_use;  // from the core's buffer stock
  Gauge buffer_bytes;
};

// All counters of the process.  Thread-safe; asked once per snapshot, and when a
// pool or core comes or goes.
class Registry {
 public:
  // Everything registered at one moment.
  struct Collected {
    std::vector<std::shared_ptr<const PoolCounters>> pools;
    std::vector<std::shared_ptr<const CoreCounters>> cores;
    // Removed since the last Collect(), so that what they counted last is not lost.
    std::vector<std::shared_ptr<const PoolCounters>> removed;
    std::vector<PinnedClient> pins;
  };

  std::shared_ptr<PoolCounters> AddPool(std::string database, std::string user,
                                        std::string pool_mode, int core);
  // The core writes nothing more into `pool` after this.
  void RemovePool(const std::shared_ptr<PoolCounters>& pool);
  std::shared_ptr<CoreCounters> AddCore(int core);

  PinBoard& pins() { return pins_; }
  LeaseBoard& leases() { return leases_; }
  EventLog& events() { return events_; }
  ReportedPools& reported_pools() { return reported_pools_; }

  std::vector<std::shared_ptr<const PoolCounters>> pools() const;
  std::vector<std::shared_ptr<const CoreCounters>> cores() const;

  // For the snapshot builder alone: it forgets the removed pools.
  Collected Collect();

 private:
  PinBoard pins_;
  LeaseBoard leases_;
  EventLog events_;
  ReportedPools reported_pools_;
  mutable std::mutex mutex_;  // protects all below
  std::vector<std::shared_ptr<PoolCounters>> pools_;
  std::vector<std::shared_ptr<PoolCounters>> removed_;
  std::vector<std::shared_ptr<CoreCounters>> cores_;
};

}  // namespace pgvalet::stats

// What an administrator has switched, for the process and for each database.
//
// Writer    the control door (daemon), on any thread.
// Readers   every core, with each checkout: one relaxed load.
#pragma once

#include <atomic>

namespace pgvalet::pool {

// Suspended (of the process only): nothing is read from clients, nor from servers that serve one.
// Paused: no client gets a server connection, and those there are are closed as they become free.
// Clients wait in line, with query_wait_timeout.
// Draining: new clients are refused (disabled, too), those there are leave at the end of their
// transaction, and server connections are closed as they become free.
struct Switches {
  std::atomic<bool> paused{false};
  std::atomic<bool> disabled{false};  // no new clients
  std::atomic<bool> draining{false};
  std::atomic<bool> suspended{false};
};

}  // namespace pgvalet::pool

// Counters of the room.
//
// Writer    the hubs' loop.  Readers: any thread, at any moment, without a lock.
// Lifetime  held by std::shared_ptr, so a reader may keep them.
#pragma once

#include "base/counter.h"

namespace pgvalet::notify {

struct Counters {
  Gauge clients;          // that have channels through a hub, or are on their way there
  Gauge channels;         // distinct ones of all databases
  Gauge connections;      // listening server connections, logged in
  Counter notifications;  // received for at least one client
  Counter deliveries;     // passed on, one for each client
  Counter connects;       // logins that worked, reconnects included
  Counter connect_failures;
  Counter losses;        // connections that ended although they were in use
  Counter clients_lost;  // clients that were told so
};

}  // namespace pgvalet::notify

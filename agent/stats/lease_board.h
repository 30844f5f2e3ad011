// LeaseBoard: which clients have which server connections, as of about now.
//
// For the extension, which shows the client behind a pooled connection
// (docs/extension/backends.md).
//
// Writer    each core, now and then and not per lease, with all leases of its own.
// Readers   the sampler.
// Threads   all; one mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"

namespace pgvalet::stats {

struct LeasedClient {
  std::string servers;  // "host:port,..." of the pool, as configured
  std::uint32_t server_pid = 0;
  std::string client_addr;  // numeric; empty: a Unix socket
  std::uint16_t client_port = 0;
  std::string application_name;
  Time since{};  // when it got the lease
};

class LeaseBoard {
 public:
  // Of one core; what is beyond is not told.
  static constexpr std::size_t kMaxLeases = 1000;

  // What `core` said before is replaced.
  void Put(int core, std::vector<LeasedClient> clients);
  std::vector<LeasedClient> List() const;

 private:
  mutable std::mutex mutex_;  // protects by_core_
  std::map<int, std::vector<LeasedClient>> by_core_;
};

}  // namespace pgvalet::stats

// PinBoard: clients that hold on to their server connection between transactions, and why.
//
// Writer    sessions, when what ties them changes: rarely.
// Readers   the snapshot thread.
// Threads   all; one mutex.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"

namespace pgvalet::stats {

struct PinReasonCount {
  std::string reason;        // as docs/pooling.md lists them: "temporary_objects"
  std::int64_t objects = 0;  // tables, locks, cursors, channels
};

struct PinnedClient {
  std::string database;  // the pool
  std::string user;
  std::string client;            // address
  std::string application_name;  // in force when it was pinned
  std::uint32_t server_pid = 0;
  std::vector<PinReasonCount> reasons;
  Time since{};  // when it was first pinned without being let go since
};

class PinBoard {
 public:
  using Id = std::uint64_t;

  // Of what is pinned already under `id` (0: nothing is) the new truth; returns the id.
  Id Put(Id id, PinnedClient client);
  // `id` is 0 afterwards.
  void Remove(Id& id);
  std::vector<PinnedClient> List() const;

 private:
  mutable std::mutex mutex_;  // protects all below
  Id last_ = 0;
  std::map<Id, PinnedClient> clients_;
};

}  // namespace pgvalet::stats

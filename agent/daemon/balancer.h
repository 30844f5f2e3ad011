// Balancer: how many cores work, and which of them gets a client.
//
// Work that fits on one core is done with the fewest system calls there: one loop serves many
// sockets per turn.  So cores come into use one after the other, as those in use become busy, and
// leave again when the rest can do without them.  Clients move between two transactions, whole with
// their socket; server connections follow where clients wait (pool/pool_upkeep.cc).
//
// Thread: core 0, which accepts all clients.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "session/context.h"
#include "stats/counters.h"

namespace pgvalet::daemon {

class Balancer {
 public:
  // `busy_percent`: setting core_busy_percent.
  Balancer(int cores, int busy_percent)
      : cores_(cores), busy_(busy_percent / 100.0), in_use_(busy_percent == 0 ? cores : 1) {}

  // Complete before the cores run; outlive the balancer.
  void SetCores(std::vector<session::SessionContext*> sessions) { sessions_ = std::move(sessions); }

  // The core for a new client.
  int Place() const;
  // About ten times a second, or less often when core 0 is quiet.
  void Tick(Time now);

  int in_use() const { return in_use_; }

 private:
  struct Load {
    std::uint64_t busy_us = 0;
    double share = 0;
  };
  void Measure(Time now);
  void Grow();
  void Shrink();
  int Busiest() const;
  int LeastClients(int among) const;
  std::int64_t ClientsOf(int core) const;

  const int cores_;
  const double busy_;  // share of a core's time above which another one is taken into use
  int in_use_;
  int busy_ticks_ = 0;
  int calm_ticks_ = 0;
  Time measured_at_{};
  std::vector<Load> loads_;
  std::vector<session::SessionContext*> sessions_;
};

}  // namespace pgvalet::daemon

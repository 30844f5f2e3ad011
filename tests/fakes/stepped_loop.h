// SteppedLoop: an event loop that a test turns by hand, so that nothing depends on time or threads.
#pragma once

#include "io/loop.h"
#include "stats/counters.h"

namespace pgvalet::fakes {

class SteppedLoop final : private io::Deferred {
 public:
  // One turn, without waiting.
  void Turn() {
    loop.Defer(*this);  // something to do: the loop does not block
    loop.Turn();
  }
  // As many turns as any chain of messages between peers on this loop needs.
  void Settle() {
    for (int i = 0; i < kSettleTurns; ++i) Turn();
  }

  static constexpr int kSettleTurns = 40;

  stats::CoreCounters counters;
  io::Loop loop{counters};

 private:
  void RunDeferred() override {}
};

}  // namespace pgvalet::fakes

// Pace: when the next reading is due.
//
// Pure: time comes in, time goes out.  A reading that worked is followed by the next
// one interval after its start; failed attempts to connect pause longer and longer, up
// to Target::longest_pause, so a server that is down or refuses us is not pestered.
#pragma once

#include "base/clock.h"
#include "sampler/target.h"

namespace pgvalet::sampler {

class Pace {
 public:
  static constexpr Duration kShortestPause = std::chrono::milliseconds(500);

  // After a reading that began at `started` and ended at `now`.  `connected`: the server
  // answered, whatever it said.
  Time NextAfter(Time started, Time now, bool connected, const Target& target);

 private:
  Duration pause_{0};  // after the last attempt; zero: it worked
};

}  // namespace pgvalet::sampler

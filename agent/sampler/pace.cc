#include "sampler/pace.h"

#include <algorithm>

namespace pgvalet::sampler {

Time Pace::NextAfter(Time started, Time now, bool connected, const Target& target) {
  if (connected) {
    pause_ = Duration::zero();
    const Time next = started + target.interval;
    // A server too slow for the interval gets a rest instead of one reading after the other.
    return next > now ? next : now + target.interval;
  }
  pause_ = std::min(std::max(pause_ * 2, kShortestPause), target.longest_pause);
  return now + pause_;
}

}  // namespace pgvalet::sampler

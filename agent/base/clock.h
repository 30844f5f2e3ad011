// Time as the agent measures it.
#pragma once

#include <chrono>

namespace pgvalet {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
// Every span of time in the agent.  Settings are read as seconds (a fraction is
// allowed) and kept as this; zero means "off" where a setting can be off.
using Duration = std::chrono::microseconds;

inline Duration Since(Time start, Time now) {
  return std::chrono::duration_cast<Duration>(now - start);
}

}  // namespace pgvalet

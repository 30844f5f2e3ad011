// Observations: what the rules see in one snapshot that is near its threshold or beyond it.
//
// Used on the publisher's thread; lives for one snapshot.  What is well below its threshold is not
// mentioned at all, so a snapshot without trouble costs comparisons and nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "config/settings.h"
#include "stats/alert.h"
#include "stats/snapshot.h"

namespace pgvalet::advice {

class RecentCounts;

// What rules look at.
struct View {
  const stats::Snapshot& snapshot;
  const config::Settings& settings;
  const RecentCounts& recent;
  bool extension_seen = false;  // it could be read since the agent started
};

enum class Level : std::uint8_t {
  kClear,    // well below the threshold
  kNear,     // below it, but not so far that an alert that is there would end
  kReached,  // at the threshold or above
};

// Thresholds of 0 are off: kClear whatever the value.
Level LevelOf(double value, double threshold);

struct Observation {
  stats::Alert alert;  // `since` is not set
  Level level = Level::kReached;
  Duration on_after{0};  // how long it must be reached to become an alert
};

class Observations {
 public:
  explicit Observations(Duration on_after) : on_after_(on_after) {}

  // The default is alert_on_after.
  void Add(Level level, stats::Alert alert) { Add(level, std::move(alert), on_after_); }
  void Add(Level level, stats::Alert alert, Duration on_after);

  std::vector<Observation>& all() { return all_; }

 private:
  const Duration on_after_;
  std::vector<Observation> all_;
};

// The parts of an alert that say what it is about.
stats::Alert OfPool(const char* name, const stats::PoolSnapshot& pool);
stats::Alert OfDatabase(const char* name, const std::string& database);
stats::Alert OfAgent(const char* name);
stats::Alert OfServer(const char* name);

// "1 client", "2 clients".
std::string Quantity(std::int64_t count, const char* one, const char* many);
// Part of whole in percent; 0 when the whole is none.
double Percent(std::int64_t part, std::int64_t whole);
double SecondsOf(std::int64_t us);

// The rules.
void LookAtPools(const View& view, Observations& found);
void LookAtAgent(const View& view, Observations& found);
void LookAtServer(const View& view, Observations& found);

}  // namespace pgvalet::advice

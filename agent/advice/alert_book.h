// AlertBook: which alerts there are, since when; what comes and goes at once is no alert.
//
// An observation becomes an alert when it was reached at every snapshot for its `on_after`, and the
// alert ends when it was well below its threshold at every snapshot for alert_off_after.  Its
// severity rises at once, and falls when the lower one has held for alert_off_after.
// Used on the publisher's thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "advice/observation.h"
#include "base/clock.h"
#include "stats/alert.h"
#include "stats/event_log.h"
#include "stats/snapshot.h"

namespace pgvalet::advice {

class AlertBook {
 public:
  // Alerts that are told; the last of them says how many more there are.
  static constexpr std::size_t kMostAlerts = 200;

  // What begins, gets worse and ends is told to `events`, which outlives the book; null: to the log
  // file alone.
  explicit AlertBook(stats::EventLog* events) : events_(events) {}

  // The alerts of this moment: the most severe first, of these the oldest.
  std::vector<stats::Alert> Update(const stats::Snapshot& snapshot, std::vector<Observation> found,
                                   Duration off_after);

 private:
  using Key = std::pair<std::string, std::string>;  // name, component

  struct Page {
    stats::Alert alert;
    bool is_on = false;
    std::size_t more = 0;       // further findings of this snapshot that have the same key
    Time reached_since{};       // not on: since when it is reached without a break
    Time clear_since{};         // on: since when it is clear; none: it is not
    Time less_severe_since{};   // on: since when it would be less severe; none: it would not
    std::uint64_t seen_in = 0;  // sequence of the last snapshot that mentioned it
  };

  void Note(const stats::Snapshot& snapshot, Observation observation, Duration off_after);
  // `kind` of the event: "alert_begun", "alert_worse" or "alert_ended".
  void Tell(const char* kind, const stats::Alert& alert);
  void Refresh(Page& page, stats::Alert alert, Time now, Duration off_after);
  void DropWhatIsClear(const stats::Snapshot& snapshot, Duration off_after);

  stats::EventLog* const events_;
  std::map<Key, Page> pages_;
  int told_ = 0;  // by this snapshot
};

}  // namespace pgvalet::advice

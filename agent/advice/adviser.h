// Adviser: the alerts of one snapshot after the other.
//
// Owned by the daemon.  Judge() on the publisher's thread alone; SetSettings() from any.
#pragma once

#include <mutex>
#include <vector>

#include "advice/alert_book.h"
#include "advice/recent_counts.h"
#include "config/settings.h"
#include "stats/alert.h"
#include "stats/snapshot.h"

namespace pgvalet::advice {

class Adviser {
 public:
  // `events` hears of alerts that begin, get worse and end, and outlives the adviser; may be null.
  explicit Adviser(config::SettingsPtr settings, stats::EventLog* events = nullptr);

  // In force from the next snapshot on.
  void SetSettings(config::SettingsPtr settings);

  // REQUIRES: called with every snapshot once, in order.
  std::vector<stats::Alert> Judge(const stats::Snapshot& snapshot);

 private:
  RecentCounts recent_;
  AlertBook book_;
  bool extension_seen_ = false;      // it could be read once
  config::SettingsPtr judged_with_;  // in the last snapshot

  std::mutex mutex_;  // protects settings_
  config::SettingsPtr settings_;
};

}  // namespace pgvalet::advice

#include "advice/adviser.h"

#include <utility>

namespace pgvalet::advice {

Adviser::Adviser(config::SettingsPtr settings, stats::EventLog* events)
    : book_(events), settings_(std::move(settings)) {}

void Adviser::SetSettings(config::SettingsPtr settings) {
  const std::lock_guard lock(mutex_);
  settings_ = std::move(settings);
}

std::vector<stats::Alert> Adviser::Judge(const stats::Snapshot& snapshot) {
  config::SettingsPtr settings;
  {
    const std::lock_guard lock(mutex_);
    settings = settings_;
  }
  // With other thresholds what is below them is no alert any more, at once.
  const bool is_new = std::exchange(judged_with_, settings) != settings;
  recent_.Take(snapshot);
  extension_seen_ = extension_seen_ || snapshot.extension->available;
  Observations found(settings->alert_on_after);
  const View view{snapshot, *settings, recent_, extension_seen_};
  LookAtPools(view, found);
  LookAtAgent(view, found);
  LookAtServer(view, found);
  return book_.Update(snapshot, std::move(found.all()),
                      is_new ? Duration::zero() : settings->alert_off_after);
}

}  // namespace pgvalet::advice

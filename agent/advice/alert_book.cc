#include "advice/alert_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <tuple>

#include "base/log.h"

namespace pgvalet::advice {
namespace {

using stats::Alert;

// Lines and events of one snapshot; where everything fails at once, more would say nothing new.
constexpr int kMostTold = 20;

void Log(const Alert& alert) {
  if (alert.severity == stats::Severity::kInfo) {
    log::info("alert {}: {}: {}", alert.name, alert.component, alert.message);
  } else {
    log::warn("alert {} ({}): {}: {}", alert.name, stats::SeverityName(alert.severity),
              alert.component, alert.message);
  }
}

// The last alert of a list that is too long.
Alert MoreAlerts(const std::vector<const Alert*>& ordered, std::size_t shown) {
  Alert more = OfAgent("more_alerts");
  more.severity = ordered[shown]->severity;
  more.message = fmt::format("{} more alerts are not shown", ordered.size() - shown);
  more.recommendation = "Look at the first ones: many alerts at once have one cause.";
  more.since = ordered[shown]->since;
  return more;
}

}  // namespace

std::vector<Alert> AlertBook::Update(const stats::Snapshot& snapshot,
                                     std::vector<Observation> found, Duration off_after) {
  told_ = 0;
  for (Observation& observation : found) Note(snapshot, std::move(observation), off_after);
  DropWhatIsClear(snapshot, off_after);
  if (told_ > kMostTold) log::warn("alerts: {} more began or ended", told_ - kMostTold);

  std::vector<const Alert*> ordered;
  for (const auto& [key, page] : pages_) {
    if (page.is_on) ordered.push_back(&page.alert);
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const Alert* a, const Alert* b) {
    return std::tie(b->severity, a->since) < std::tie(a->severity, b->since);
  });
  const std::size_t shown = ordered.size() > kMostAlerts ? kMostAlerts - 1 : ordered.size();
  std::vector<Alert> alerts;
  alerts.reserve(shown + 1);
  for (std::size_t i = 0; i < shown; ++i) alerts.push_back(*ordered[i]);
  if (shown < ordered.size()) alerts.push_back(MoreAlerts(ordered, shown));
  return alerts;
}

void AlertBook::Note(const stats::Snapshot& snapshot, Observation observation, Duration off_after) {
  const Time now = snapshot.steady_time;
  Key key(observation.alert.name, observation.alert.component);
  const bool is_reached = observation.level == Level::kReached;
  auto it = pages_.find(key);
  if (it == pages_.end()) {
    if (!is_reached) return;
    it = pages_.emplace(std::move(key), Page{}).first;
    it->second.reached_since = now;
    observation.alert.since = snapshot.time;
    it->second.alert = std::move(observation.alert);
  } else if (it->second.seen_in == snapshot.sequence) {
    ++it->second.more;
  } else if (it->second.is_on) {
    Refresh(it->second, std::move(observation.alert), now, off_after);
  } else if (!is_reached) {
    pages_.erase(it);
    return;
  } else {
    observation.alert.since = it->second.alert.since;
    it->second.alert = std::move(observation.alert);
  }
  Page& page = it->second;
  if (page.seen_in != snapshot.sequence) page.more = 0;
  page.seen_in = snapshot.sequence;
  if (!page.is_on && Since(page.reached_since, now) >= observation.on_after) {
    page.is_on = true;
    Tell("alert_begun", page.alert);
  }
}

void AlertBook::Tell(const char* kind, const Alert& alert) {
  if (++told_ > kMostTold) return;
  const bool is_over = std::string_view(kind) == "alert_ended";
  if (is_over) {
    log::info("alert {} is over: {}", alert.name, alert.component);
  } else {
    Log(alert);
  }
  if (events_ == nullptr) return;
  events_->Add({.kind = kind,
                .database = alert.database,
                .user = alert.user,
                .message = fmt::format("{}: {}{}{}", alert.name, alert.component,
                                       is_over ? "" : ": ", is_over ? "" : alert.message)});
}

void AlertBook::Refresh(Page& page, Alert alert, Time now, Duration off_after) {
  page.clear_since = Time{};
  alert.since = page.alert.since;
  if (alert.severity >= page.alert.severity) {
    page.less_severe_since = Time{};
    const bool is_worse = alert.severity > page.alert.severity;
    page.alert = std::move(alert);
    if (is_worse) Tell("alert_worse", page.alert);
    return;
  }
  if (page.less_severe_since == Time{}) page.less_severe_since = now;
  if (Since(page.less_severe_since, now) < off_after) alert.severity = page.alert.severity;
  page.alert = std::move(alert);
}

void AlertBook::DropWhatIsClear(const stats::Snapshot& snapshot, Duration off_after) {
  for (auto it = pages_.begin(); it != pages_.end();) {
    Page& page = it->second;
    bool is_over = false;
    if (page.seen_in != snapshot.sequence) {
      if (page.clear_since == Time{}) page.clear_since = snapshot.steady_time;
      is_over = !page.is_on || Since(page.clear_since, snapshot.steady_time) >= off_after;
    } else if (page.more > 0) {
      page.alert.message += fmt::format(" (and {} more of this kind)", page.more);
    }
    if (is_over && page.is_on) Tell("alert_ended", page.alert);
    it = is_over ? pages_.erase(it) : std::next(it);
  }
}

}  // namespace pgvalet::advice

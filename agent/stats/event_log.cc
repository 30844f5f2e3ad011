#include "stats/event_log.h"

#include <algorithm>
#include <utility>

#include "base/clean_text.h"

namespace pgvalet::stats {
namespace {

// Somebody who makes up names cannot fill our memory: beyond this they share one quiet time.
constexpr std::size_t kMaxQuiet = 1024;
constexpr std::size_t kMaxMessageBytes = 1000;

Event Clean(Event event) {
  for (std::string* text : {&event.kind, &event.database, &event.user, &event.application_name,
                            &event.client, &event.rule}) {
    *text = CleanText(*text);
  }
  event.message = CleanText(event.message, kMaxMessageBytes);
  if (event.at == WallTime{}) event.at = WallNow();
  return event;
}

std::string KeyOf(const Event& event) {
  return event.kind + '\0' + event.database + '\0' + event.user;
}

}  // namespace

void EventLog::Add(Event event) {
  Event clean = Clean(std::move(event));
  {
    const std::lock_guard lock(mutex_);
    Append(std::move(clean));
  }
  added_.notify_all();
}

void EventLog::AddLimited(Event event, Time now) {
  Event clean = Clean(std::move(event));
  std::string key = KeyOf(clean);
  {
    const std::lock_guard lock(mutex_);
    if (quiet_.size() >= kMaxQuiet && !quiet_.contains(key)) key = clean.kind;
    Quiet& quiet = quiet_[key];
    if (now < quiet.until) {
      ++quiet.left_out;
      quiet.last = std::move(clean);
      return;
    }
    Drop(quiet);
    quiet.until = now + kQuietTime;
    Append(std::move(clean));
  }
  added_.notify_all();
}

void EventLog::EndQuietTimes(Time now) {
  {
    const std::lock_guard lock(mutex_);
    for (auto it = quiet_.begin(); it != quiet_.end();) {
      if (now < it->second.until) {
        ++it;
        continue;
      }
      if (it->second.left_out == 0) {
        it = quiet_.erase(it);
        continue;
      }
      // It goes on: what is kept now opens the next quiet time.
      Drop(it->second);
      it->second.until = now + kQuietTime;
      ++it;
    }
  }
  added_.notify_all();
}

void EventLog::Drop(Quiet& quiet) {
  if (quiet.left_out == 0) return;
  quiet.last.left_out = std::exchange(quiet.left_out, 0) - 1;  // it is kept itself
  Append(std::exchange(quiet.last, Event{}));
}

void EventLog::Append(Event event) {
  event.sequence = ++newest_;
  events_.push_back(std::move(event));
  if (events_.size() > capacity_) events_.pop_front();
}

EventLog::Page EventLog::Since(std::uint64_t after, std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  if (after > newest_) after = 0;
  Page page;
  page.next = after;
  if (events_.empty()) return page;
  const std::uint64_t oldest = events_.front().sequence;
  // Who asks for all there are misses nothing.
  if (after > 0 && after + 1 < oldest) page.lost = oldest - after - 1;
  const std::uint64_t first = std::max(after + 1, oldest);
  const std::size_t begin = static_cast<std::size_t>(first - oldest);
  if (begin >= events_.size()) return page;
  const std::size_t end = begin + std::min(limit, events_.size() - begin);
  page.events.assign(events_.begin() + static_cast<std::ptrdiff_t>(begin),
                     events_.begin() + static_cast<std::ptrdiff_t>(end));
  if (!page.events.empty()) page.next = page.events.back().sequence;
  return page;
}

std::uint64_t EventLog::newest() const {
  const std::lock_guard lock(mutex_);
  return newest_;
}

bool EventLog::WaitNewer(std::uint64_t after, const std::stop_token& stop) const {
  std::unique_lock lock(mutex_);
  return added_.wait(lock, stop, [&] { return newest_ > after; });
}

}  // namespace pgvalet::stats

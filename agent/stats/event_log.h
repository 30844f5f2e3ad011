// EventLog: the newest events, in one order, with sequence numbers.
//
// Writers   any thread.  Readers  any thread; each keeps its own place, nothing is queued for it,
//           and what is overwritten before it has read it is counted as lost.
// Lifetime  the registry's.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "stats/event.h"

namespace pgvalet::stats {

class EventLog {
 public:
  static constexpr std::size_t kDefaultCapacity = 4096;
  // Of events that a peer can cause as often as it likes, one of a kind in this time is kept.
  static constexpr Duration kQuietTime = std::chrono::seconds(10);

  struct Page {
    std::vector<Event> events;  // oldest first
    std::uint64_t next = 0;     // the sequence number to ask for next
    std::uint64_t lost = 0;     // events after the one asked for that are overwritten
  };

  explicit EventLog(std::size_t capacity = kDefaultCapacity) : capacity_(capacity) {}

  void Add(Event event);

  // For what clients and servers cause: of many alike (kind, database, user) the first is kept, and
  // the last of those that follow it within kQuietTime, which says how many were left out.
  void AddLimited(Event event, Time now = Clock::now());
  // Keeps the last one of each kind whose quiet time is over.  Called about once a second.
  void EndQuietTimes(Time now);

  // At most `limit` events after `after`, which is 0 for all there are; one above the newest is of
  // another process and means 0.
  Page Since(std::uint64_t after, std::size_t limit) const;
  std::uint64_t newest() const;

  // Waits until there is an event after `after`; false: `stop` was requested first.
  bool WaitNewer(std::uint64_t after, const std::stop_token& stop) const;

 private:
  // What is known of one kind of event in its quiet time.
  struct Quiet {
    Time until{};
    std::uint64_t left_out = 0;
    Event last;
  };

  // REQUIRES: mutex_ is held.
  void Append(Event event);
  void Drop(Quiet& quiet);

  const std::size_t capacity_;
  mutable std::mutex mutex_;  // protects all below
  mutable std::condition_variable_any added_;
  std::deque<Event> events_;
  std::uint64_t newest_ = 0;
  std::map<std::string, Quiet> quiet_;  // by kind, database and user; at most kMaxQuiet
};

}  // namespace pgvalet::stats

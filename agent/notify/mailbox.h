// Mailbox: events on their way from the hubs to the clients of one loop.
//
// Writer    the hubs' loop; reader: the loop of the clients.  Whoever puts the first mail in wakes
//           the reader, so a burst costs one wake-up and, once the vectors have grown, no memory.
// Lifetime  held by the directory, as long as loops run.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "io/loop.h"
#include "notify/event.h"

namespace pgvalet::notify {

class Hub;
class Mailbox;
class Subscriber;

// What a client's subscriber and the hub share.
struct Link {
  Link(std::uint64_t its_id, Mailbox& its_mailbox) : id(its_id), mailbox(its_mailbox) {}

  const std::uint64_t id;  // unique in the process; older clients have smaller ones
  Mailbox& mailbox;
  // Of events put into the mailbox and not yet delivered, also those a paused client keeps back.
  std::atomic<std::int64_t> undelivered_bytes{0};
  Subscriber* subscriber = nullptr;  // the client's loop only; null: gone
  Hub* hub = nullptr;                // the hubs' loop only; null: no hub knows this client
};
using LinkPtr = std::shared_ptr<Link>;

struct Mail {
  LinkPtr to;
  Event event;
  std::uint64_t move = 0;  // the move it belongs to, counted by the client; 0: none

  // What it counts in Link::undelivered_bytes.
  std::int64_t Cost() const;
};

class Mailbox {
 public:
  explicit Mailbox(io::Loop& loop) : loop_(loop) {}
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Any thread.
  void Put(Mail mail);

 private:
  void Drain();

  io::Loop& loop_;
  std::vector<Mail> draining_;  // the reader's

  std::mutex mutex_;  // protects all below
  std::vector<Mail> arrived_;
};

}  // namespace pgvalet::notify

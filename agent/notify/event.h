// What a client learns of the hub, and who learns it.
#pragma once

#include <string>
#include <variant>

#include "base/error.h"
#include "notify/notification.h"

namespace pgvalet::notify {

// The answer to Subscribe(): the hub's connection listens.  The lease is to LISTEN to this channel,
// then Mark() is due.
struct Subscribed {
  std::string marker_channel;
};

// The move under way did not work, at whatever step it was.  Its channels stay on the lease,
// nothing was missed, and channels moved before are not touched.
struct Refused {
  Error error;
};

// The end of a move: from here on its channels come from the hub alone.
struct Marked {};

// Everything that was committed before Barrier() was called has been delivered.
struct BarrierPassed {};

// The listening connection ended (kServer with the server's own words, kClosed, kIo, kProtocol), or
// the client was too slow (kLimit).  Notifications of moved channels may have been missed; the hub
// has forgotten this client, and no event follows.
struct Lost {
  Error error;
};

using Event = std::variant<Subscribed, Refused, Marked, Notification, BarrierPassed, Lost>;

class EventSink {
 public:
  // On the loop of the client.  May call the subscriber, and may destroy it.
  virtual void OnEvent(const Event& event) = 0;

 protected:
  ~EventSink() = default;
};

}  // namespace pgvalet::notify

// Subscriber: a client's side of the listening connection that its database has for all clients.
//
// Owner     the client's session, from its first LISTEN on; destroying it is leaving.
// Thread    the client's loop, which it cannot change: a client that has one stays on its core.
// Lifetime  any; it ends before the directory does.  Nothing is delivered after its destructor, and
//           no event comes from inside a call of a function here.
//
// A move brings channels from a lease, where LISTEN has run for real, to the hub: each notification
// once, in order, without a gap.  One at a time:
//
//   Subscribe(channels)             -> Subscribed{marker channel}   or Refused
//   the lease LISTENs to the marker channel, and has said so
//   Mark()                          -> Marked                       or Refused
//   the lease UNLISTENs everything and can be released
//
// From Subscribe() on, every notification that the lease brings is shown to PassLeaseNotification()
// first: it finds the marker and tells what still belongs to the client.  What the hub has from
// behind the marker is kept back until the lease has shown it too.
//
// Ask for a move only if the client's client_encoding is the server_encoding: the hub's bytes are
// shared by clients and those of the server, without conversion.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "io/loop.h"
#include "notify/directory.h"
#include "notify/event.h"
#include "notify/mailbox.h"
#include "pool/policy.h"

namespace pgvalet::notify {

class Subscriber final : private io::Deferred {
 public:
  // Directory and sink outlive it.  `key` is that of the client's pool.
  Subscriber(Directory& directory, io::Loop& loop, EventSink& sink, pool::PoolKey key);
  ~Subscriber();
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  // Begins a move of channels that the lease listens to; names as the server reports them. Answered
  // as soon as the hub's connection listens to them: while the server cannot be reached, that is
  // not at all, and the lease stays with the client.  REQUIRES: !moving() and !lost().
  void Subscribe(std::vector<std::string> channels);
  // REQUIRES: the lease listens to the marker channel, and its ReadyForQuery has been read.
  void Mark();
  // Gives a move up, whose channels stay on the lease.  False: none is under way, or the lease has
  // shown the marker, so that it is too late.
  bool CallOff();
  // From Subscribe() up to Refused, Marked or CallOff().
  bool moving() const { return step_ != Step::kNone; }

  // Does this notification, which a lease has brought, belong to the client?  Not if it is a
  // marker, or of a channel that comes from the hub.
  bool PassLeaseNotification(std::string_view channel, std::string_view payload);

  // At once, also in the middle of a move: nothing of these channels is delivered any more.
  void Unsubscribe(const std::vector<std::string>& channels);
  void UnsubscribeAll();
  // Channels that come from the hub.
  const std::set<std::string, std::less<>>& channels() const { return moved_; }

  // Answered by BarrierPassed, behind every notification of the client's channels that was
  // committed before.  Always answered, unless Lost comes; at once if the client has no channels
  // here.  Each costs the server one small transaction, shared with whoever asks at the same time.
  void Barrier();

  // While paused every event is kept back, but for the end: Lost, or the Refused it comes to.  A
  // client that has more than Options::max_undelivered_bytes in front of it is lost (kLimit).
  void Pause() { paused_ = true; }
  // Delivers what was kept back at the end of this turn.
  void Resume();

  // After Lost: only good for being destroyed.
  bool lost() const { return lost_; }

 private:
  friend class Mailbox;
  enum class Step : std::uint8_t { kNone, kAsked, kSubscribed, kMarking };

  void Take(Mail mail);
  void TakeLost(const Mail& mail);
  void Pump();
  bool MayDeliver(const Mail& mail) const;
  void Deliver(const Mail& mail);
  bool Wanted(const Mail& mail);
  void EndMove();
  void DropDelivered();
  void DropHeld();
  void RunDeferred() override { Pump(); }

  Directory& directory_;
  io::Loop& loop_;
  EventSink& sink_;
  const pool::PoolKey key_;
  const LinkPtr link_;
  std::set<std::string, std::less<>> moved_;  // the hub delivers, the lease's are dropped
  std::vector<std::string> moving_;
  std::string marker_channel_;  // empty until the first Subscribed
  std::string token_;           // of the move under way
  std::uint64_t move_ = 0;      // counts them
  std::vector<Mail> held_;      // not delivered yet, from next_ on
  std::size_t next_ = 0;
  Step step_ = Step::kNone;
  bool marker_seen_ = false;  // the lease has shown it
  bool paused_ = false;
  bool lost_ = false;
};

}  // namespace pgvalet::notify

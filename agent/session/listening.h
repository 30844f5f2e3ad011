// Listening: the channels of a client that listens without a server connection of its own.
//
// Made when a transaction of the client leaves channels on its lease.  It takes them over to the
// listening connection of the database (notify/subscriber.h), after which the lease can go, and
// brings their notifications from there on.
//
// Owned by the session; same thread.  A session that has one stays on its core.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "notify/subscriber.h"

namespace pgvalet::session {

// What the session does for its channels.  Never called from inside a function of Listening.
class ListeningHost {
 public:
  // The next step of a move may be due on the lease.
  virtual void OnChannelStep() = 0;
  virtual void OnNotification(const notify::Notification& notification) = 0;
  // Everything that was committed before AwaitNotifications() has been delivered.
  virtual void OnNotificationsComplete() = 0;
  // Notifications may have been missed: the session cannot go on.
  virtual void OnListeningLost(const Error& error) = 0;

 protected:
  ~ListeningHost() = default;
};

class Listening final : private notify::EventSink {
 public:
  // All references outlive it.
  Listening(notify::Directory& directory, io::Loop& loop, ListeningHost& host, pool::PoolKey key);

  // ---- the move of what a lease listens to ----

  // Goes on with it: gives the command that is to run on the lease now, or nothing when it waits or
  // cannot be done; what could not be is tried again after a while.  `on_lease`: the channels of
  // the lease, of which there is at least one. REQUIRES: the lease is idle, and no command of the
  // last call is under way there.
  std::string NextCommand(const std::vector<std::string>& on_lease);
  void OnCommandFailed() { Refuse(); }
  // The ReadyForQuery of a command that was not the client's has come.
  void OnOwnReady();
  bool command_under_way() const { return command_under_way_; }
  // False also when the server has refused it: then the channels stay on the lease.
  bool moving() const { return step_ != Step::kNone && step_ != Step::kRefused; }
  // The lease is used by the move in a way that the client could see.
  bool needs_quiet() const;
  // The client has waited for that long enough: a move that can be given up is.
  void CallOff();

  // ---- what the server says ----

  // Does this notification, which a lease has brought, go to the client?
  bool PassLeaseNotification(wire::Bytes body);
  // A transaction has ended listening to these, or to all ("*"), but for what it has begun to
  // listen to again, which is on the lease.
  void Unlisten(const std::vector<std::string_view>& channels,
                const std::vector<std::string_view>& on_lease);
  bool has_channels() const { return !subscriber_.channels().empty(); }
  // Commands that make a lease listen to all channels, for pg_listening_channels() to show them.
  // Empty: it does.
  std::string ListenCommands(const std::vector<std::string>& on_lease) const;

  // ---- when ----

  // Answered by OnNotificationsComplete(); not begun while the answer to a wait that was given up
  // is still to come.
  void AwaitNotifications();
  bool awaiting() const { return awaiting_; }
  Time awaiting_since() const { return awaiting_since_; }
  // They will come when they come.
  void StopAwaiting() { awaiting_ = false; }
  void Pause() { subscriber_.Pause(); }
  void Resume() { subscriber_.Resume(); }

  Time since() const { return since_; }  // of the step under way

 private:
  enum class Step : std::uint8_t {
    kNone,
    kAsked,        // the hub is to listen
    kSubscribed,   // it does; the lease is to listen to the marker channel
    kMarking,      // the lease does; the marker is on its way
    kUnlistening,  // it came: the lease need not listen any more
    kRefused,
  };

  void OnEvent(const notify::Event& event) override;
  void Refuse();
  bool IsOnHub(const std::string& channel) const;
  bool is_late() const { return barrier_is_out_ && !awaiting_; }

  io::Loop& loop_;
  ListeningHost& host_;
  std::string marker_channel_;
  std::vector<std::string> asked_;    // channels of the last move
  std::vector<std::string> refused_;  // what the lease listened to then; empty: not looked yet
  Time since_{};
  Step step_ = Step::kNone;
  bool marked_before_ = false;  // the lease listens to the marker channel because of another move
  bool command_under_way_ = false;
  bool awaiting_ = false;
  bool barrier_is_out_ = false;
  Time awaiting_since_{};
  notify::Subscriber subscriber_;  // last: its events stop before the rest goes
};

}  // namespace pgvalet::session

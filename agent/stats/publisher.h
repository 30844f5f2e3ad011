// Publisher: the thread that makes a snapshot every snapshot_interval and publishes it.
//
// Owned by the daemon.  Lifetime: between Start() and Stop() one thread runs; what the
// constructor was given outlives it.  Whatever one snapshot meets (a source that throws, no
// memory), the thread goes on with the next.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "stats/counters.h"
#include "stats/hub.h"
#include "stats/snapshot_builder.h"

namespace pgvalet::stats {

// Where a snapshot gets what is not in the registry.  Called on the publisher's thread; they
// return what is known at once and never wait for a peer.
struct PublisherSources {
  std::function<AgentStatus()> status;                                // required
  std::function<std::shared_ptr<const ExtensionSample>()> extension;  // may be empty
  // The alerts of a snapshot that is complete but for them; may be empty.
  AlertJudge judge = nullptr;
};

class Publisher {
 public:
  // Shorter intervals are raised to this.
  static constexpr Duration kMinInterval = std::chrono::milliseconds(10);

  Publisher(Registry& registry, SnapshotHub& hub, PublisherSources sources, Duration interval);
  ~Publisher();

  // The first snapshot is made at once, the others an interval apart.
  // REQUIRES: not started before.
  void Start();

  // Returns when the thread has ended; nothing is published after.  May be called again.
  void Stop();

  // From the next snapshot on.
  void SetInterval(Duration interval);

  // A snapshot soon, out of turn: the agent's state changed and readers should know.  Returns
  // without waiting for it.
  void PublishNow();

 private:
  void Run();
  void PublishOne(Duration interval);
  // Waits until the next snapshot is due; false: stop.
  bool WaitForTurn(Time& due, Duration& interval);

  Registry& registry_;
  SnapshotHub& hub_;
  const PublisherSources sources_;
  SnapshotBuilder builder_;  // used by the thread alone

  std::mutex mutex_;  // protects all below but thread_
  std::condition_variable wake_;
  Duration interval_;
  bool interval_changed_ = false;
  bool now_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pgvalet::stats

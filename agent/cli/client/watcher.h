// Watcher: the stream of snapshots, on a thread of its own.
//
// Keeps the newest snapshot, connects again when the agent goes away or falls silent,
// and wakes the screen by a readable descriptor.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "cli/client/client.h"

namespace pgvalet::cli {

class Watcher {
 public:
  // What is known now.
  struct Report {
    SnapshotPtr now;
    ConnectionsPtr connections;  // null: not asked for yet
    SnapshotPtr before;          // with an older reading of the extension
    std::string problem;         // empty while the stream flows
    std::string notice;
    Time received{};             // when `now` came
    std::int64_t snapshots = 0;  // received so far
    bool tried = false;          // the first attempt has an outcome
  };

  // `interval` between snapshots; silence longer than that and common.timeout means a lost agent.
  Watcher(Common common, Duration interval);
  ~Watcher();  // stops; at once, even while an agent hangs
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Readable when the report may have changed since the last Take().
  int fd() const { return event_fd_; }
  Report Take();

  // From now on the lists of connections are asked for with each snapshot, or not any more.
  void WantConnections(bool wanted);

 private:
  void Run();
  std::string WatchOnce(const std::shared_ptr<grpc::Channel>& channel);
  void Received(SnapshotPtr snapshot);
  void AskConnections(const std::shared_ptr<grpc::Channel>& channel);
  void Failed(std::string problem);
  void Wake();

  const Common common_;
  const Duration interval_;
  const int event_fd_;

  std::mutex mutex_;  // protects all below
  std::condition_variable stopped_;
  bool stop_ = false;
  bool wants_connections_ = false;
  grpc::ClientContext* call_ = nullptr;  // the one in progress
  Report report_;

  std::thread thread_;  // last: runs on the members above
};

// Joins a snapshot to what was known; pure but for `received`.
void Join(Watcher::Report* report, SnapshotPtr snapshot);

}  // namespace pgvalet::cli

// Core: one thread of the agent, with its event loop, its sessions and its pools.
//
// Made before its thread starts and destroyed after it has ended, by Agent.  Other threads talk to
// it by Post() alone.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "auth/user_directory.h"
#include "config/settings.h"
#include "daemon/balancer.h"
#include "io/listener.h"
#include "io/loop.h"
#include "session/context.h"
#include "stats/counters.h"

namespace pgvalet::daemon {

class Core {
 public:
  // All references outlive the core.
  Core(int index, session::SessionShared& shared, stats::Registry& registry, Balancer& balancer,
       const config::SettingsPtr& settings, auth::UserDirectoryPtr users);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  void Start();
  // Returns when the thread has ended; whatever was open is closed.
  void Stop();

  // Any thread.
  void Post(std::function<void()> action) { loop_.Post(std::move(action)); }

  // On the core's thread, from here on.
  void Listen(const std::vector<io::ListenSocket>& sockets);
  void StopListening() { acceptors_.clear(); }
  session::SessionContext& sessions() { return sessions_; }
  io::Loop& loop() { return loop_; }

 private:
  void Run();
  void Tick();
  void OnAccept(int fd, const io::Address& peer);

  const int index_;
  std::shared_ptr<stats::CoreCounters> counters_;
  Balancer& balancer_;
  session::SessionShared& shared_;
  io::Loop loop_;
  session::SessionContext sessions_;
  std::vector<std::unique_ptr<io::Acceptor>> acceptors_;
  io::Timer tick_;
  std::thread thread_;
};

}  // namespace pgvalet::daemon

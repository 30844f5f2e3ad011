// Agent: the process; owns everything that lives as long as it does.
//
// Thread: main()'s, which waits for signals.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "advice/adviser.h"
#include "api/calls.h"
#include "api/grpc_server.h"
#include "api/http_server.h"
#include "auth/user_directory.h"
#include "base/log.h"
#include "base/result.h"
#include "config/load.h"
#include "console/admin_console.h"
#include "daemon/balancer.h"
#include "daemon/control_door.h"
#include "daemon/core.h"
#include "daemon/pidfile.h"
#include "io/listener.h"
#include "io/resolver.h"
#include "notify/directory.h"
#include "pool/pool_directory.h"
#include "query/door.h"
#include "sampler/inquiry.h"
#include "sampler/sampler.h"
#include "session/context.h"
#include "stats/history.h"
#include "stats/hub.h"
#include "stats/publisher.h"

namespace pgvalet::daemon {

// How the log is to be written by these settings.
LogOptions LogOptionsOf(const config::Settings& settings, bool is_quiet);

class Agent {
 public:
  Agent(config::CommandLine command_line, config::Environment environment, config::Loaded loaded);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Opens everything and lets clients in.  On an error nothing is left running.
  // REQUIRES: the signals of Run() are blocked in this thread.
  Result<Done> Start();

  // Until a signal has ended the agent: SIGHUP reloads, SIGTERM drains (waits for clients to
  // leave), SIGINT finishes transactions, SIGQUIT ends now; a second SIGTERM or SIGINT goes one
  // step further.  SIGUSR1 pauses all databases, SIGUSR2 resumes them.
  void Run();

  // The signals Run() waits for.
  static sigset_t Signals();

 private:
  static Result<auth::UserDirectoryPtr> LoadUsers(const config::Settings& settings);
  Result<Done> StartCores();
  Result<Done> StartListening();
  Result<Done> OpenQueryDoor();
  Result<Done> StartFaces();
  void OpenDoor();

  // Any thread, all of them.
  Result<Done> Reload();
  Result<Done> Set(const std::string& key, const std::string& value);
  Result<int> ResizePool(const pool::PoolKey& key, int pool_size);
  stats::SnapshotPtr FreshSnapshot() const;
  void TellEvent(const char* kind, std::string message);
  control::EffectiveSettings EffectiveSettings() const;
  static void ShutDown(control::Shutdown how);
  config::SettingsPtr settings() const;
  auth::UserDirectoryPtr users() const;

  // REQUIRES: reload_mutex_ is held, and settings_mutex_ is not: rooms that hear of new settings
  // ask for users.
  // `resized`: as config::Settings::resized_pools.
  using PoolSizes = decltype(config::Settings::resized_pools);
  Result<Done> LoadAndApply(const config::CommandLine& command_line, const PoolSizes& resized);
  void Apply(const config::SettingsPtr& next);
  // What gRPC and HTTP read besides: certificates, then tokens.  On an error tokens stay as they
  // are.
  Result<Done> LoadAccess(const config::Settings& settings);
  // To sessions and pools.
  void TellCores(const config::SettingsPtr& next);
  // Plain passwords of auth_file, for the sampler.
  sampler::PasswordLookup PasswordFinder();
  void OnSignal(int signal);
  // False: the signal is not about pausing or reading settings.
  bool Administer(int signal);
  void StopListening();
  void SetState(session::ServiceState state);
  void EndClients(const char* reason);
  bool Deserted() const;
  void StopAll();
  stats::AgentStatus Status() const;

  const config::CommandLine command_line_;
  const config::Environment environment_;
  const bool is_quiet_;      // nothing goes to stderr once we run
  std::mutex reload_mutex_;  // one change of settings at a time; taken before settings_mutex_
  std::vector<std::pair<std::string, std::string>> set_since_;  // by the door, until a reload

  mutable std::mutex settings_mutex_;  // protects the next three; held for a copy, no longer
  config::SettingsPtr settings_;
  std::map<std::string, std::string, std::less<>> sources_;  // of the settings
  auth::UserDirectoryPtr users_ = std::make_shared<const auth::UserDirectory>();
  const stats::WallTime started_at_;
  std::atomic<stats::WallTime::rep> settings_loaded_at_;
  std::atomic<std::int64_t> max_clients_;
  std::atomic<stats::AgentState> state_{stats::AgentState::kStarting};
  std::atomic<bool> listening_{false};

  PidFile pidfile_;
  stats::Registry registry_;
  io::Resolver resolver_;
  pool::Shared pool_shared_;
  session::SessionShared session_shared_;
  std::unique_ptr<Balancer> balancer_;
  std::vector<io::ListenSocket> listen_sockets_;  // core 0's once it listens
  query::Door query_door_;                        // the private one among them
  std::vector<std::unique_ptr<Core>> cores_;
  std::unique_ptr<notify::Directory>
      notifications_;  // closed between the cores' stop and their end
  stats::SnapshotHub hub_;
  stats::History history_;
  std::unique_ptr<stats::HistoryRecorder> history_recorder_;
  std::unique_ptr<sampler::Inquiry> inquiry_;
  std::unique_ptr<ControlDoor> door_;
  std::unique_ptr<console::AdminConsole> console_;
  std::unique_ptr<sampler::Sampler> sampler_;
  advice::Adviser adviser_;
  std::unique_ptr<stats::Publisher> publisher_;
  api::Tokens tokens_;
  api::Tls tls_;
  std::unique_ptr<api::Calls> calls_;
  std::unique_ptr<api::GrpcServer> grpc_;
  std::unique_ptr<api::HttpServer> http_;
  Time give_up_at_ = Time::max();  // of a drain with shutdown_timeout
  bool ended_ = false;
};

}  // namespace pgvalet::daemon

// What the client sessions of one core work with.
//
// SessionShared is one per process and thread-safe; SessionContext is one per core and used on its
// thread alone.  Both outlive every session.
#pragma once

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "auth/learned_secrets.h"
#include "auth/user_directory.h"
#include "auth/verifier_cache.h"
#include "config/settings.h"
#include "io/loop.h"
#include "notify/directory.h"
#include "pool/pool_directory.h"
#include "session/cancel.h"
#include "session/client_session.h"
#include "session/console.h"
#include "stats/counters.h"
#include "wire/statement.h"

namespace pgvalet::session {

// How far the agent is on its way out.
enum class ServiceState : std::uint8_t {
  kRunning,
  kDraining,   // nobody new; clients stay as long as they like
  kFinishing,  // nobody new; clients leave at the end of their transaction
};

// Settings of clients that a server has accepted: what they asked for, and how the server spells
// it. Thread-safe.
class AcceptedSettings {
 public:
  static constexpr std::size_t kMaxEntries = 1000;

  // Null when a server has not been asked yet.
  wire::StateRef Find(const pool::PoolKey& pool, const wire::StateRef& asked) const;
  void Add(const pool::PoolKey& pool, wire::StateRef asked, wire::StateRef spelled);
  void Clear();

 private:
  mutable std::mutex mutex_;  // protects entries_
  std::map<std::pair<pool::PoolKey, wire::StateRef>, wire::StateRef> entries_;
};

struct SessionShared {
  pool::Shared* pools = nullptr;
  wire::StatementStore statements;
  CancelDirectory cancels;
  auth::LearnedSecrets learned;
  std::unique_ptr<auth::VerifierCache> verifiers;
  notify::Directory* notifications = nullptr;  // null: LISTEN keeps its server connection
  AcceptedSettings accepted_settings;
  std::atomic<int> clients{0};          // logged in or on the way, for max_client_conn
  std::atomic<int> console_clients{0};  // of the console, who are not counted there
  std::atomic<std::uint64_t> next_client_id{1};
  Console* console = nullptr;  // null: the administration databases are names like any other
  std::vector<class SessionContext*> cores;  // complete before any core runs
};

class SessionContext {
 public:
  SessionContext(SessionShared& shared, io::Loop& loop, int core,
                 const config::SettingsPtr& settings, auth::UserDirectoryPtr users);
  ~SessionContext();
  SessionContext(const SessionContext&) = delete;
  SessionContext& operator=(const SessionContext&) = delete;

  // A client has connected; takes over `fd`.
  void Accept(int fd, const io::Address& peer);
  // A session from another core.
  void Adopt(std::unique_ptr<ClientSession> session);
  // Sends `count` clients to core `to`, each as soon as it is between two transactions.  Replaces
  // an order that is not carried out yet.
  void MoveClients(int to, std::size_t count);

  void SetSettings(config::SettingsPtr settings, auth::UserDirectoryPtr users);
  void SetState(ServiceState state);
  // Every client is told why and goes, now.
  void EndAll(const char* reason);
  // About ten times a second.
  void Tick(Time now);

  // What there is, appended.
  void Describe(Time now, std::vector<control::ClientInfo>& clients) const;
  // While suspended, sessions read nothing from their clients and servers.
  void SetSuspended(bool suspended);
  bool is_suspended() const { return suspended_; }
  // Whether a client or its server has yet to take what is sent to it.
  bool HasUnflushed() const;
  // Ends those.
  void EndUnflushed(const char* reason);
  // False: no client here has this id.
  bool KillClient(std::uint64_t id, const char* reason);
  // All clients of a database, or (empty) of all databases; not those of the console.
  void KillClients(const std::string& database, const char* reason);
  // Has them leave as soon as no transaction of theirs is open; the same ones.
  void Drain(const std::string& database);
  // Clients of a database, or of all, those included that are hearing their last words.
  std::size_t CountClients(const std::string& database) const;
  // False: no client here has a connection to this backend.
  bool CancelServer(std::uint32_t pid);

  // On the core of the session a cancel request is for; the request came to any core.
  void Cancel(std::uint32_t pid, const std::string& secret);

  SessionShared& shared() { return shared_; }
  io::Loop& loop() { return loop_; }
  int core() const { return core_; }
  const config::SettingsPtr& settings() const { return settings_; }
  const auth::UserDirectoryPtr& users() const { return users_; }
  ServiceState state() const { return state_; }
  pool::PoolDirectory& pools() { return pools_; }
  wire::StateStore& states() { return shared_.pools->states; }
  stats::PinBoard& pins() { return shared_.pools->registry->pins(); }
  stats::EventLog& events() { return shared_.pools->registry->events(); }
  stats::CoreCounters& counters() { return loop_.counters(); }
  CancelSender& cancel_sender() { return cancel_sender_; }
  std::size_t client_count() const;

  // For ClientSession alone: the only function that changes its state.
  void Move(ClientSession& session, ClientState to);

 private:
  using SessionList =
      boost::intrusive::list<ClientSession, boost::intrusive::base_hook<SessionHook>>;
  SessionList& ListOf(ClientState state);
  // Has logged in, or is about to, to this database or (empty) any, and not to the console.
  static bool IsClientOf(const ClientSession& session, const std::string& database);
  void ShowCounts();
  void ShowLeases(Time now);
  void MoveIdleClients();

  // Sends clients to another core at the end of a turn.
  class Mover final : public io::Deferred {
   public:
    explicit Mover(SessionContext& context) : context_(context) {}
    void RunDeferred() override { context_.MoveIdleClients(); }

   private:
    SessionContext& context_;
  };

  // Buries the dead at the end of a turn.
  class Undertaker final : public io::Deferred {
   public:
    explicit Undertaker(SessionContext& context) : context_(context) {}
    void RunDeferred() override;

   private:
    SessionContext& context_;
  };

  SessionShared& shared_;
  io::Loop& loop_;
  const int core_;
  config::SettingsPtr settings_;
  auth::UserDirectoryPtr users_;
  ServiceState state_ = ServiceState::kRunning;
  bool suspended_ = false;
  CancelSender cancel_sender_;
  pool::PoolDirectory pools_;
  bool idle_timeouts_;  // some idle client may have to go
  Time leases_shown_at_{};

  SessionList login_;
  SessionList idle_;  // longest idle in front
  SessionList waiting_;
  SessionList active_;
  SessionList closing_;  // its last words are still to be sent
  SessionList dead_;
  Undertaker undertaker_{*this};
  Mover mover_{*this};
  int move_to_ = 0;
  std::size_t move_count_ = 0;  // clients still to be sent there
};

}  // namespace pgvalet::session

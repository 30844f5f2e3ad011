#include "daemon/control_door.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "base/log.h"

namespace pgvalet::daemon {
namespace {

// A core that does not answer for so long hangs.
constexpr Duration kAnswerLimit = std::chrono::seconds(10);
// Between two looks whether something has come about.
constexpr Duration kLookEvery = std::chrono::milliseconds(10);

// That of the settings that count server connections.
constexpr int kMaxPoolSize = 1'000'000;

constexpr const char* kKilled =
    "terminating connection due to administrator command: the client was killed";

// Until `is_done`, looking now and then; false: `stop` was requested first.
Result<bool> WaitUntil(const std::stop_token& stop, const std::function<Result<bool>()>& is_done) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    Result<bool> done = is_done();
    if (!done || *done) return done;
    stopped.wait_for(lock, stop, kLookEvery, [] { return false; });
  }
  return false;
}

Error NoSense(const char* what, std::string detail = {}) {
  return Error{ErrorCode::kInvalidSetting, what, 0, std::move(detail), "55000"};
}

}  // namespace

ControlDoor::ControlDoor(const std::vector<std::unique_ptr<Core>>& cores,
                         pool::GroupDirectory& groups, Process process)
    : cores_(cores), groups_(groups), process_(std::move(process)) {}

// ---- cores ----

void ControlDoor::TellCores(const std::function<void(session::SessionContext&)>& order) {
  for (const std::unique_ptr<Core>& core : cores_) {
    session::SessionContext& sessions = core->sessions();
    core->Post([&sessions, order] { order(sessions); });
  }
}

template <typename Answer>
Result<std::vector<Answer>> ControlDoor::AskCores(
    const std::function<Answer(session::SessionContext&)>& question) {
  // Shared with the cores: one that is late finds nobody waiting any more.
  struct Answers {
    std::mutex mutex;  // protects all below
    std::condition_variable come;
    std::vector<std::optional<Answer>> of_core;
    std::size_t missing = 0;
  };
  auto answers = std::make_shared<Answers>();
  answers->of_core.resize(cores_.size());
  answers->missing = cores_.size();
  for (std::size_t i = 0; i < cores_.size(); ++i) {
    session::SessionContext& sessions = cores_[i]->sessions();
    cores_[i]->Post([answers, question, &sessions, i] {
      Answer answer = question(sessions);
      const std::lock_guard lock(answers->mutex);
      answers->of_core[i] = std::move(answer);
      if (--answers->missing == 0) answers->come.notify_all();
    });
  }
  std::unique_lock lock(answers->mutex);
  if (!answers->come.wait_for(lock, kAnswerLimit, [&] { return answers->missing == 0; })) {
    return Error{ErrorCode::kTimeout, "a core of the agent does not answer"};
  }
  std::vector<Answer> all;
  for (std::optional<Answer>& answer : answers->of_core) all.push_back(std::move(*answer));
  return all;
}

Result<bool> ControlDoor::AskAny(const std::function<bool(session::SessionContext&)>& question) {
  Result<std::vector<char>> answers = AskCores<char>(
      [question](session::SessionContext& sessions) -> char { return question(sessions); });
  if (!answers) return answers.error();
  return std::any_of(answers->begin(), answers->end(), [](char yes) { return yes != 0; });
}

Result<std::vector<control::ClientInfo>> ControlDoor::ListClients() {
  using Clients = std::vector<control::ClientInfo>;
  Result<std::vector<Clients>> of_cores = AskCores<Clients>([](session::SessionContext& sessions) {
    Clients clients;
    sessions.Describe(sessions.loop().now(), clients);
    return clients;
  });
  if (!of_cores) return of_cores.error();
  Clients all;
  for (Clients& clients : *of_cores) {
    all.insert(all.end(), std::make_move_iterator(clients.begin()),
               std::make_move_iterator(clients.end()));
  }
  return all;
}

Result<std::vector<control::ServerInfo>> ControlDoor::ListServers() {
  using Servers = std::vector<control::ServerInfo>;
  Result<std::vector<Servers>> of_cores = AskCores<Servers>([](session::SessionContext& sessions) {
    Servers servers;
    sessions.pools().Describe(servers);
    return servers;
  });
  if (!of_cores) return of_cores.error();
  Servers all;
  for (Servers& servers : *of_cores) {
    all.insert(all.end(), std::make_move_iterator(servers.begin()),
               std::make_move_iterator(servers.end()));
  }
  return all;
}

void ControlDoor::Tell(const char* kind, const std::string& database, const char* what) {
  log::info("{}: database={}", what, database.empty() ? "(all)" : database);
  process_.events->Add({.kind = kind, .database = database, .message = what});
}

// ---- databases ----

Result<Done> ControlDoor::CheckDatabase(const std::string& database) const {
  if (database.empty() || groups_.Has(database) ||
      process_.settings().settings->databases.contains(database)) {
    return Done{};
  }
  return Error{ErrorCode::kNotFound, "no such database", 0, database, "3D000"};
}

pool::Switches& ControlDoor::SwitchesFor(const std::string& database) const {
  // The directory keeps them for ever.
  return database.empty() ? groups_.process_switches() : *groups_.SwitchesOf(database);
}

bool ControlDoor::IsPaused() const { return groups_.process_switches().paused; }

bool ControlDoor::IsSuspended() const { return groups_.process_switches().suspended; }

control::DatabaseSwitches ControlDoor::SwitchesOf(const std::string& database) const {
  const std::shared_ptr<pool::Switches> switches = groups_.SwitchesOf(database);
  return {switches->paused, groups_.IsDisabled(database)};
}

Result<Done> ControlDoor::BeginPause(const std::string& database) {
  if (Result<Done> known = CheckDatabase(database); !known) return known.error();
  if (IsSuspended()) return NoSense("already suspended");
  if (SwitchesFor(database).paused.exchange(true)) return NoSense("already paused", database);
  Tell("paused", database, "pausing");
  TellCores([](session::SessionContext& sessions) { sessions.pools().ApplySwitches(); });
  return Done{};
}

Result<Done> ControlDoor::Pause(const std::string& database, const std::stop_token& stop) {
  if (Result<Done> begun = BeginPause(database); !begun) return begun.error();
  const pool::Switches& switches = SwitchesFor(database);
  const Result<bool> over = WaitUntil(stop, [&]() -> Result<bool> {
    return groups_.ServerConnections(database) == 0 || !switches.paused;
  });
  if (over && *over && switches.paused) return Done{};
  // Called off by who asked for it, or ended by somebody else.
  [[maybe_unused]] const Result<Done> resumed = Resume(database);
  return Error{ErrorCode::kAborted, "the pause was called off", 0, database, "57014"};
}

Result<Done> ControlDoor::Suspend(const std::stop_token& stop) {
  if (IsPaused()) return NoSense("already paused");
  if (groups_.process_switches().suspended.exchange(true)) return NoSense("already suspended");
  Tell("suspended", "", "suspending: nothing is read from clients and servers");
  Result<bool> told = AskAny([](session::SessionContext& sessions) {
    sessions.SetSuspended(true);
    return true;
  });
  Result<Done> flushed = told ? FlushClients(stop) : Result<Done>(told.error());
  if (flushed && IsSuspended()) return Done{};
  [[maybe_unused]] const Result<Done> resumed = Resume("");
  if (!flushed) return flushed.error();
  return Error{ErrorCode::kAborted, "the command was called off", 0, {}, "57014"};
}

Result<Done> ControlDoor::FlushClients(const std::stop_token& stop) {
  const Duration limit = process_.settings().settings->suspend_timeout;
  const Time give_up_at = Clock::now() + limit;
  Result<bool> over = WaitUntil(stop, [&]() -> Result<bool> {
    if (!IsSuspended()) return true;  // somebody else has ended it
    if (limit > Duration::zero() && Clock::now() >= give_up_at) {
      return AskAny([](session::SessionContext& sessions) {
        sessions.EndUnflushed(
            "suspend_timeout: the client or its server did not take what is sent");
        return true;
      });
    }
    Result<bool> unsent =
        AskAny([](session::SessionContext& sessions) { return sessions.HasUnflushed(); });
    if (!unsent) return unsent;
    return !*unsent;
  });
  if (!over) return over.error();
  if (!*over) return Error{ErrorCode::kAborted, "the command was called off", 0, {}, "57014"};
  return Done{};
}

Result<Done> ControlDoor::Resume(const std::string& database) {
  if (Result<Done> known = CheckDatabase(database); !known) return known.error();
  if (database.empty() && groups_.process_switches().suspended.exchange(false)) {
    Tell("resumed", "", "going on: reading from clients and servers again");
    TellCores([](session::SessionContext& sessions) { sessions.SetSuspended(false); });
    return Done{};
  }
  if (!SwitchesFor(database).paused.exchange(false)) return NoSense("not paused", database);
  Tell("resumed", database, "going on");
  TellCores([](session::SessionContext& sessions) { sessions.pools().ApplySwitches(); });
  return Done{};
}

Result<Done> ControlDoor::Disable(const std::string& database) {
  if (Result<Done> known = CheckDatabase(database); !known) return known.error();
  SwitchesFor(database).disabled = true;
  Tell("disabled", database, "disabled: new clients are refused");
  return Done{};
}

Result<bool> ControlDoor::HasAnybody(const std::string& database) {
  if (groups_.ServerConnections(database) > 0) return true;
  return AskAny([database](session::SessionContext& sessions) {
    return sessions.CountClients(database) > 0;
  });
}

Result<Done> ControlDoor::Drain(const std::string& database, const std::stop_token& stop) {
  if (Result<Done> known = CheckDatabase(database); !known) return known.error();
  pool::Switches& switches = SwitchesFor(database);
  switches.disabled = true;  // before the order: nobody comes in behind it
  switches.draining = true;
  Tell("draining", database, "draining: new clients are refused, the others leave");
  TellCores([database](session::SessionContext& sessions) {
    sessions.Drain(database);
    sessions.pools().ApplySwitches();
  });
  const Result<bool> over = WaitUntil(stop, [&]() -> Result<bool> {
    if (!switches.draining) return true;
    Result<bool> anybody = HasAnybody(database);
    if (!anybody) return anybody;
    return !*anybody;
  });
  if (!over) return over.error();
  if (!*over || !switches.draining) {
    return Error{ErrorCode::kAborted,
                 *over ? "the database was enabled again"
                       : "not all have left yet; the database stays disabled",
                 0, database, "57014"};
  }
  Tell("drained", database, "drained: neither a client nor a server connection is left");
  return Done{};
}

Result<Done> ControlDoor::Enable(const std::string& database) {
  if (Result<Done> known = CheckDatabase(database); !known) return known.error();
  pool::Switches& switches = SwitchesFor(database);
  if (database.empty() && !switches.draining) return NoSense("all databases were not drained");
  if (!database.empty() && groups_.process_switches().draining) {
    return NoSense("all databases were drained together, and are enabled together");
  }
  switches.draining = false;
  switches.disabled = false;
  Tell("enabled", database, "enabled: new clients are let in");
  return Done{};
}

Result<Done> ControlDoor::Reconnect(const std::string& database) {
  if (Result<Done> known = CheckDatabase(database); !known) return known.error();
  Tell("reconnecting", database, "replacing server connections");
  Result<bool> told = AskAny([database](session::SessionContext& sessions) {
    sessions.pools().RetireAll(database);
    return true;
  });
  if (!told) return told.error();
  return Done{};
}

Result<Done> ControlDoor::WaitClose(const std::string& database, const std::stop_token& stop) {
  if (Result<Done> known = CheckDatabase(database); !known) return known.error();
  const Result<bool> closed = WaitUntil(stop, [&]() -> Result<bool> {
    Result<bool> any = AskAny([database](session::SessionContext& sessions) {
      return sessions.pools().CountRetired(database) > 0;
    });
    if (!any) return any;
    return !*any;
  });
  if (!closed) return closed.error();
  if (!*closed) return Error{ErrorCode::kAborted, "the wait was called off", 0, database, "57014"};
  return Done{};
}

Result<Done> ControlDoor::Kill(const std::string& database) {
  if (Result<Done> known = CheckDatabase(database); !known) return known.error();
  SwitchesFor(database).paused = true;
  Tell("killed", database, "killing clients and server connections");
  Result<bool> told = AskAny([database](session::SessionContext& sessions) {
    sessions.KillClients(database, kKilled);
    sessions.pools().CloseAll(database, "it was killed by an administrator");
    return true;
  });
  if (!told) return told.error();
  return Done{};
}

// ---- connections ----

Result<Done> ControlDoor::KillClient(std::uint64_t id) {
  Result<bool> found =
      AskAny([id](session::SessionContext& sessions) { return sessions.KillClient(id, kKilled); });
  if (!found) return found.error();
  if (!*found) {
    return Error{ErrorCode::kNotFound, "no client has this id", 0, std::to_string(id), "42704"};
  }
  process_.events->Add(
      {.kind = "client_killed", .message = "killed the client with id " + std::to_string(id)});
  return Done{};
}

Result<Done> ControlDoor::CancelBackend(std::uint32_t pid, const std::stop_token& stop) {
  Result<bool> found =
      AskAny([pid](session::SessionContext& sessions) { return sessions.CancelServer(pid); });
  if (!found) return found.error();
  if (!*found) {
    Result<Done> cancelled = process_.inquiry->CancelBackend(pid, stop);
    if (!cancelled) return cancelled;
  }
  process_.events->Add({.kind = "statement_cancelled",
                        .server_pid = pid,
                        .message = "cancelled the statement of a backend"});
  return Done{};
}

Result<Done> ControlDoor::EndBackend(std::uint32_t pid, const std::stop_token& stop) {
  Result<Done> ended = process_.inquiry->EndBackend(pid, stop);
  if (!ended) return ended;
  log::info("ending a backend: pid={}", pid);
  process_.events->Add(
      {.kind = "backend_ended", .server_pid = pid, .message = "ended a backend of the server"});
  return Done{};
}

Result<int> ControlDoor::ResizePool(const std::string& database, const std::string& user,
                                    int pool_size) {
  if (pool_size < 1 || pool_size > kMaxPoolSize) {
    return Error{ErrorCode::kInvalidSetting, "pool_size must be from 1 to 1000000", 0,
                 std::to_string(pool_size), "22023"};
  }
  if (Result<Done> known = CheckDatabase(database); !known) return known.error();
  if (!user.empty() && !groups_.Has(pool::PoolKey{database, user})) {
    return Error{ErrorCode::kNotFound, "the database has no pool of this user", 0, user, "42704"};
  }
  Result<int> before = process_.resize({database, user}, pool_size);
  if (!before) return before;
  const std::string change = "from " + std::to_string(*before) + " to " +
                             std::to_string(pool_size) + " server connections";
  log::info("pool resized: database={} user={} {}", database, user.empty() ? "(all)" : user,
            change);
  process_.events->Add({.kind = "pool_resized",
                        .database = database,
                        .user = user,
                        .message = "resized until the next reload, " + change});
  return before;
}

}  // namespace pgvalet::daemon

// Door: everything that can be asked of a running agent beyond its snapshots, and done to it.
//
// One door for console, gRPC and HTTP, so that all of them mean the same.  The daemon implements
// it. Threads   any but a core's: calls wait for cores, which answer at the end of a turn. Names of
// databases are those that clients ask for; empty: all of them.
#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "control/connection_info.h"
#include "stats/server_records.h"
#include "stats/snapshot.h"

namespace pgvalet::control {

// How the agent ends.
enum class Shutdown : std::uint8_t {
  kImmediate,       // every client is told, now
  kWaitForServers,  // clients leave at the end of their transaction
  kWaitForClients,  // clients stay as long as they like
};

// The switches of one database.
struct DatabaseSwitches {
  bool paused = false;
  bool disabled = false;
};

// The settings in force, and where each came from (config/load.h).
struct EffectiveSettings {
  config::SettingsPtr settings;
  std::map<std::string, std::string, std::less<>> sources;
};

class Door {
 public:
  virtual ~Door() = default;

  // A snapshot of now: who has just done something wants to see it.  Null before the first.
  virtual stats::SnapshotPtr Snapshot() const = 0;
  virtual EffectiveSettings Settings() const = 0;
  // Whether all databases are paused together.
  virtual bool IsPaused() const = 0;
  // Whether Suspend() is in force.
  virtual bool IsSuspended() const = 0;
  virtual DatabaseSwitches SwitchesOf(const std::string& database) const = 0;

  // Every connection at about one moment.  kTimeout: a core did not answer.
  virtual Result<std::vector<ClientInfo>> ListClients() = 0;
  virtual Result<std::vector<ServerInfo>> ListServers() = 0;

  // In all of these, kNotFound: there is no such database; kInvalidSetting: the command makes no
  // sense now (Error::what says why).

  // No client gets a server connection from now on; returns when all are closed, those in use as
  // they become free.  kAborted: `stop` was requested before, and the pause is called off.
  virtual Result<Done> Pause(const std::string& database, const std::stop_token& stop) = 0;
  // Nothing is read from clients and servers from now on; returns when everything is sent that had
  // been read.  Who does not take it within suspend_timeout is ended.  kAborted: as Pause().
  virtual Result<Done> Suspend(const std::stop_token& stop) = 0;
  // New clients are refused, those there are leave as soon as no transaction of theirs is open;
  // returns when neither a client nor a server connection is left.  kAborted: `stop` was requested
  // before, and everything stays as it has come to be; or somebody called Enable().
  virtual Result<Done> Drain(const std::string& database, const std::stop_token& stop) = 0;
  // Ends a pause; of all databases (empty) also a Suspend().
  virtual Result<Done> Resume(const std::string& database) = 0;
  // New clients are refused, or let in again, also after a Drain().  All databases together are
  // disabled by Drain() alone.
  // REQUIRES: Disable(): database is not empty.
  virtual Result<Done> Disable(const std::string& database) = 0;
  virtual Result<Done> Enable(const std::string& database) = 0;
  // Server connections are replaced as they become free.
  virtual Result<Done> Reconnect(const std::string& database) = 0;
  // Returns when no server connection is left that was to be replaced.
  virtual Result<Done> WaitClose(const std::string& database, const std::stop_token& stop) = 0;
  // Clients and server connections are closed at once; new clients wait until Resume().
  virtual Result<Done> Kill(const std::string& database) = 0;

  // kNotFound: no client has this id.
  virtual Result<Done> KillClient(std::uint64_t id) = 0;
  // The statement that this backend runs is cancelled: through the client of ours that has it, or
  // else, whoever has it, by the server.  kNotFound: there is no such backend.
  virtual Result<Done> CancelBackend(std::uint32_t pid, const std::stop_token& stop) = 0;
  // Ends any backend of the server that the sampler reads.
  virtual Result<Done> EndBackend(std::uint32_t pid, const std::stop_token& stop) = 0;

  // What the extension in that server keeps of the past.  Errors of these and the two above:
  // sampler/inquiry.h.
  virtual Result<std::vector<stats::EndedSession>> EndedSessions(
      const stats::EndedSessionFilter& filter, const std::stop_token& stop) = 0;
  virtual Result<std::vector<stats::Distribution>> Distributions(
      const stats::DistributionFilter& filter, const std::stop_token& stop) = 0;
  virtual Result<std::vector<stats::ServerMinute>> ServerMinutes(stats::WallTime since, int limit,
                                                                 const std::stop_token& stop) = 0;

  // Reads the configuration again.  On an error everything stays as it is.
  virtual Result<Done> Reload() = 0;
  // Changes a setting until the next reload; value as on the command line.
  virtual Result<Done> Set(const std::string& key, const std::string& value) = 0;
  // Gives a pool, or (user is empty) all of a database, this size until the next reload; returns
  // the one before.  kNotFound: no such database, or no pool of this user.
  // kInvalidSetting, 22023: the size is below 1, or too large.
  virtual Result<int> ResizePool(const std::string& database, const std::string& user,
                                 int pool_size) = 0;
  // Begins to end the agent, and returns.
  virtual void ShutDown(Shutdown how) = 0;
};

}  // namespace pgvalet::control

// ControlDoor: the door (control/door.h) of the running agent.
//
// Asks cores by posted messages and waits for their answers; what concerns the whole process it
// hands to the agent.  Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/door.h"
#include "daemon/core.h"
#include "pool/pool_directory.h"
#include "sampler/inquiry.h"

namespace pgvalet::daemon {

class ControlDoor final : public control::Door {
 public:
  // What only the agent can do; thread-safe all of them.
  struct Process {
    std::function<stats::SnapshotPtr()> snapshot;  // of now
    std::function<control::EffectiveSettings()> settings;
    std::function<Result<Done>()> reload;
    std::function<Result<Done>(const std::string& key, const std::string& value)> set;
    std::function<Result<int>(const pool::PoolKey& key, int pool_size)> resize;
    std::function<void(control::Shutdown)> shut_down;
    stats::EventLog* events;    // never null
    sampler::Inquiry* inquiry;  // never null
  };

  // All outlive the door; `cores` is complete.
  ControlDoor(const std::vector<std::unique_ptr<Core>>& cores, pool::GroupDirectory& groups,
              Process process);

  stats::SnapshotPtr Snapshot() const override { return process_.snapshot(); }
  control::EffectiveSettings Settings() const override { return process_.settings(); }
  bool IsPaused() const override;
  bool IsSuspended() const override;
  control::DatabaseSwitches SwitchesOf(const std::string& database) const override;
  Result<std::vector<control::ClientInfo>> ListClients() override;
  Result<std::vector<control::ServerInfo>> ListServers() override;
  Result<Done> Pause(const std::string& database, const std::stop_token& stop) override;
  Result<Done> Suspend(const std::stop_token& stop) override;
  Result<Done> Drain(const std::string& database, const std::stop_token& stop) override;
  Result<Done> Resume(const std::string& database) override;
  Result<Done> Disable(const std::string& database) override;
  Result<Done> Enable(const std::string& database) override;
  Result<Done> Reconnect(const std::string& database) override;
  Result<Done> WaitClose(const std::string& database, const std::stop_token& stop) override;
  Result<Done> Kill(const std::string& database) override;
  Result<Done> KillClient(std::uint64_t id) override;
  Result<Done> CancelBackend(std::uint32_t pid, const std::stop_token& stop) override;
  Result<Done> EndBackend(std::uint32_t pid, const std::stop_token& stop) override;
  Result<std::vector<stats::EndedSession>> EndedSessions(const stats::EndedSessionFilter& filter,
                                                         const std::stop_token& stop) override {
    return process_.inquiry->EndedSessions(filter, stop);
  }
  Result<std::vector<stats::Distribution>> Distributions(const stats::DistributionFilter& filter,
                                                         const std::stop_token& stop) override {
    return process_.inquiry->Distributions(filter, stop);
  }
  Result<std::vector<stats::ServerMinute>> ServerMinutes(stats::WallTime since, int limit,
                                                         const std::stop_token& stop) override {
    return process_.inquiry->Minutes(since, limit, stop);
  }
  Result<Done> Reload() override { return process_.reload(); }
  Result<Done> Set(const std::string& key, const std::string& value) override {
    return process_.set(key, value);
  }
  Result<int> ResizePool(const std::string& database, const std::string& user,
                         int pool_size) override;
  void ShutDown(control::Shutdown how) override { process_.shut_down(how); }

  // Pause() without the wait: server connections are closed as they become free.
  Result<Done> BeginPause(const std::string& database);

 private:
  // Log and events: what is being done to a database, or (empty) all.
  void Tell(const char* kind, const std::string& database, const char* what);
  // kNotFound when there is no such database: one that only "*" stands for is there once it is
  // used.
  Result<Done> CheckDatabase(const std::string& database) const;
  pool::Switches& SwitchesFor(const std::string& database) const;
  // True while somebody of a database that is drained is still there.
  Result<bool> HasAnybody(const std::string& database);
  Result<Done> FlushClients(const std::stop_token& stop);
  void TellCores(const std::function<void(session::SessionContext&)>& order);
  // The answers of all cores, in their order; kTimeout when one does not come.
  template <typename Answer>
  Result<std::vector<Answer>> AskCores(
      const std::function<Answer(session::SessionContext&)>& question);
  // True as soon as one core says so.
  Result<bool> AskAny(const std::function<bool(session::SessionContext&)>& question);

  const std::vector<std::unique_ptr<Core>>& cores_;
  pool::GroupDirectory& groups_;
  const Process process_;
};

}  // namespace pgvalet::daemon

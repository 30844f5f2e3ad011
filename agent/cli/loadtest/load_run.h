// LoadRun: puts the load of a plan on one address, and tells what became of it.
//
// Open model: requests begin when they are due, however slow the ones before are, as long as a
// client is free.  Connections of libpq that never block, on the caller's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/client/postgres.h"
#include "cli/loadtest/plan.h"
#include "cli/loadtest/tally.h"

namespace pgvalet::cli::loadtest {

class LoadRun {
 public:
  // Asked several times per second with what there is so far; false ends the run.
  using Continue = std::function<bool(const Tally& tally, Duration elapsed)>;

  LoadRun(const LoadPlan& plan, ConnectionParameters parameters);
  ~LoadRun();
  LoadRun(const LoadRun&) = delete;
  LoadRun& operator=(const LoadRun&) = delete;

  // To the end of the plan; `wake_fd` becoming readable makes it ask `go_on` at once.
  // REQUIRES: called once.
  RunResult Run(int wake_fd, const Continue& go_on);

 private:
  enum class Phase : std::uint8_t { kFree, kConnecting, kAsking };

  struct Client {
    ConnectionPtr connection;
    Phase phase = Phase::kFree;
    Time due{};                 // of its request
    Time deadline{};            // the same
    std::size_t statement = 0;  // which one is asked
    bool failed = false;        // with `error`, once its answer has been read
    Error error{ErrorCode::kIo};
  };

  void BeginWhatIsDue(Time now);
  void Begin(std::size_t index, Time due, Time now);
  void Connect(std::size_t index, PostgresPollingStatusType next);
  void Ask(std::size_t index);
  void Read(std::size_t index);
  // Takes one result; false: the connection can be used no more.
  bool Take(Client& client, const PGresult* result);
  void StatementIsDone(std::size_t index);
  void Fail(std::size_t index, const Error& error);
  void Finish(std::size_t index, bool keep);
  void Handle(std::size_t index);
  // Calls Handle() when the socket is ready; false: it cannot be watched.
  bool Watch(std::size_t index, std::uint32_t events);
  void EndWhatIsTooSlow(Time now);
  bool Done() const;
  int WaitMilliseconds(Time now) const;

  const LoadPlan plan_;
  const ConnectionParameters parameters_;
  const std::vector<std::string> statements_;
  const int epoll_fd_;
  Time start_{};
  std::int64_t begun_ = 0;
  bool is_over_ = false;  // the plan's duration has passed: nothing begins any more
  std::vector<Client> clients_;
  std::vector<std::size_t> free_;
  Tally tally_;
};

}  // namespace pgvalet::cli::loadtest

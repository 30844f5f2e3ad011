// Inquiry: what somebody asks of the server once, beside the sampler.
//
// Every call opens a connection of its own, as the sampler's role to the sampler's database, and
// closes it again: the sampler is not held up, and what takes long is ended with its caller.
//
// Threads   any; at most kMaxAtOnce connections at a time, further callers wait.
// Lifetime  made after the settings are loaded; outlives the faces that ask.
//
// Errors of all calls, said so that the caller can mend them:
//   kInvalidSetting (SQLSTATE 55000): sampler_interval is 0, or the extension is not there, not
//     preloaded or too old;
//   kServer (42501): the role may not;
//   kIo (08006): the server cannot be reached, or does not answer in time;
//   kAborted: `stop` was requested.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "sampler/connection.h"
#include "sampler/target.h"
#include "stats/server_records.h"

namespace pgvalet::sampler {

class Inquiry {
 public:
  static constexpr int kMaxAtOnce = 4;

  // As Sampler::Options::find_password.
  Inquiry(const config::Settings& settings, PasswordLookup find_password)
      : find_password_(std::move(find_password)), target_(TargetOf(settings, find_password_)) {}
  Inquiry(const Inquiry&) = delete;
  Inquiry& operator=(const Inquiry&) = delete;

  void UpdateSettings(const config::Settings& settings);

  // Any backend of the server, by pg_terminate_backend() and pg_cancel_backend().
  // kNotFound: none has this pid.
  Result<Done> EndBackend(std::uint32_t pid, const std::stop_token& stop);
  Result<Done> CancelBackend(std::uint32_t pid, const std::stop_token& stop);

  // Newest first.
  Result<std::vector<stats::EndedSession>> EndedSessions(const stats::EndedSessionFilter& filter,
                                                         const std::stop_token& stop);
  // By dimension, name, then measure.
  Result<std::vector<stats::Distribution>> Distributions(const stats::DistributionFilter& filter,
                                                         const std::stop_token& stop);
  // Oldest first.
  Result<std::vector<stats::ServerMinute>> Minutes(stats::WallTime since, int limit,
                                                   const std::stop_token& stop);

 private:
  using Question = Statement (*)(std::int32_t pid);
  Result<Done> Signal(Question question, std::uint32_t pid, const std::stop_token& stop);
  // The answers of the server, one for each statement; errors are as it and libpq said them.
  Result<std::vector<ResultPtr>> Run(const std::vector<Statement>& statements, const Target& target,
                                     const std::stop_token& stop);
  // The same for the extension's views, with errors as this class says them.
  Result<std::vector<ResultPtr>> Read(const std::vector<Statement>& statements,
                                      const std::stop_token& stop);
  // The server that is asked; kInvalidSetting: none is.
  Result<Target> WhomToAsk() const;

  const PasswordLookup find_password_;
  mutable std::mutex mutex_;  // protects all below
  std::condition_variable_any left_;
  Target target_;
  int running_ = 0;
};

}  // namespace pgvalet::sampler

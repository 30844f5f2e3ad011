#include "sampler/inquiry.h"

#include <chrono>
#include <limits>
#include <string>
#include <utility>

#include "sampler/decode.h"
#include "sampler/queries.h"
#include "sampler/reason.h"

namespace pgvalet::sampler {
namespace {

using namespace std::chrono_literals;

// Longer than the server's own statement timeout: it speaks first unless it hangs.
constexpr Duration kAnswerLimit = 10s;
constexpr const char* kUnreachable = "08006";
constexpr const char* kName = "pgvaletd inquiry";

Error CalledOff() { return {ErrorCode::kAborted, "the call was called off", 0, {}, "57014"}; }

Error Unreachable(std::string why) {
  return {ErrorCode::kIo, "the server cannot be asked", 0, std::move(why), kUnreachable};
}

Error NoBackend(std::uint32_t pid) {
  return {ErrorCode::kNotFound, "no backend of the server has this pid", 0, std::to_string(pid),
          "42704"};
}

// What a statement of ours may take, or a lock of somebody's DROP EXTENSION.
bool TookTooLong(const Error& error) {
  return error.sqlstate == "57014" || error.sqlstate == "55P03" ||
         error.code == ErrorCode::kTimeout;
}

Error ExplainSignal(Error error, const Target& target) {
  if (error.code == ErrorCode::kAborted) return CalledOff();
  if (error.sqlstate == kUnreachable) return error;
  if (error.sqlstate == "42501") {
    error.what = "the sampler's role may not signal this backend";
    error.detail += "; hint: GRANT pg_signal_backend TO " +
                    (target.user.empty() ? std::string("it") : "\"" + target.user + "\"") +
                    "; a superuser's backend is ended by superusers alone";
    return error;
  }
  return Unreachable(TookTooLong(error) ? "no answer in time" : error.ToString());
}

Error ExplainReading(const Error& error, const Target& target) {
  if (error.code == ErrorCode::kAborted) return CalledOff();
  if (error.sqlstate == kUnreachable) return error;
  if (error.code == ErrorCode::kIo || TookTooLong(error)) {
    return Unreachable(TookTooLong(error) ? "no answer in time" : error.ToString());
  }
  if (error.sqlstate == "42501") {
    return {ErrorCode::kServer, "the server refused", 0, CannotRead(error, target), "42501"};
  }
  // 42P01 and the like: not there, or an older version.
  const bool is_missing = error.sqlstate.starts_with("42") || error.sqlstate == "3F000";
  return {ErrorCode::kInvalidSetting, "the extension cannot be asked", 0,
          is_missing ? "database \"" + target.dbname +
                           "\" does not have it, or not in this version: run CREATE EXTENSION "
                           "pgvalet, or ALTER EXTENSION pgvalet UPDATE (" +
                           error.detail + ")"
                     : CannotRead(error, target),
          "55000"};
}

}  // namespace

void Inquiry::UpdateSettings(const config::Settings& settings) {
  Target target = TargetOf(settings, find_password_);
  const std::lock_guard lock(mutex_);
  target_ = std::move(target);
}

Result<Target> Inquiry::WhomToAsk() const {
  const std::lock_guard lock(mutex_);
  if (target_.interval > Duration::zero()) return target_;
  return Error{ErrorCode::kInvalidSetting, "the server is not asked", 0,
               "sampler_interval is 0: set it, and sampler_user, to have the agent ask", "55000"};
}

Result<std::vector<ResultPtr>> Inquiry::Run(const std::vector<Statement>& statements,
                                            const Target& target, const std::stop_token& stop) {
  {
    std::unique_lock lock(mutex_);
    if (!left_.wait(lock, stop, [this] { return running_ < kMaxAtOnce; })) return CalledOff();
    ++running_;
  }
  const auto ask = [&]() -> Result<std::vector<ResultPtr>> {
    Wakeup abort;
    if (abort.fd() < 0) return Unreachable("no descriptors are left");
    const std::stop_callback on_stop(stop, [&abort] { abort.Signal(); });
    Connection connection(abort, kName);
    Result<Done> opened = connection.Open(target, Clock::now() + target.connect_timeout);
    if (!opened && opened.error().code == ErrorCode::kAborted) return CalledOff();
    if (!opened) return Unreachable(CannotConnect(opened.error(), target));
    return connection.Run(statements, Clock::now() + kAnswerLimit);
  };
  Result<std::vector<ResultPtr>> results = ask();
  {
    const std::lock_guard lock(mutex_);
    --running_;
  }
  left_.notify_one();
  return results;
}

Result<Done> Inquiry::Signal(Question question, std::uint32_t pid, const std::stop_token& stop) {
  const Result<Target> target = WhomToAsk();
  if (!target) return target.error();
  if (pid == 0 || pid > static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max())) {
    return NoBackend(pid);
  }
  Result<std::vector<ResultPtr>> results =
      Run({question(static_cast<std::int32_t>(pid))}, *target, stop);
  if (!results) return ExplainSignal(results.error(), *target);
  Result<bool> was_there = DecodeSignalled(results->front().get());
  if (!was_there) return was_there.error();
  if (!*was_there) return NoBackend(pid);
  return Done{};
}

Result<Done> Inquiry::EndBackend(std::uint32_t pid, const std::stop_token& stop) {
  return Signal(&EndStatement, pid, stop);
}

Result<Done> Inquiry::CancelBackend(std::uint32_t pid, const std::stop_token& stop) {
  return Signal(&CancelStatement, pid, stop);
}

Result<std::vector<ResultPtr>> Inquiry::Read(const std::vector<Statement>& statements,
                                             const std::stop_token& stop) {
  const Result<Target> target = WhomToAsk();
  if (!target) return target.error();
  Result<std::vector<ResultPtr>> results = Run(statements, *target, stop);
  if (!results) return ExplainReading(results.error(), *target);
  return results;
}

Result<std::vector<stats::EndedSession>> Inquiry::EndedSessions(
    const stats::EndedSessionFilter& filter, const std::stop_token& stop) {
  Result<std::vector<ResultPtr>> results = Read({EndedSessionsStatement(filter)}, stop);
  if (!results) return results.error();
  return DecodeEndedSessions(results->front().get());
}

Result<std::vector<stats::Distribution>> Inquiry::Distributions(
    const stats::DistributionFilter& filter, const std::stop_token& stop) {
  std::vector<Statement> statements = {DistributionsStatement(filter)};
  if (filter.HasName()) statements.push_back(BucketsStatement(filter));
  Result<std::vector<ResultPtr>> results = Read(statements, stop);
  if (!results) return results.error();
  Result<std::vector<stats::Distribution>> all = DecodeDistributions(results->front().get());
  if (!all || !filter.HasName()) return all;
  Result<std::vector<BucketRow>> buckets = DecodeBuckets(results->back().get());
  if (!buckets) return buckets.error();
  for (stats::Distribution& distribution : *all) {
    for (const BucketRow& row : *buckets) {
      if (row.dimension == distribution.dimension && row.measure == distribution.measure) {
        distribution.buckets.push_back(row.bucket);
      }
    }
  }
  return all;
}

Result<std::vector<stats::ServerMinute>> Inquiry::Minutes(stats::WallTime since, int limit,
                                                          const std::stop_token& stop) {
  Result<std::vector<ResultPtr>> results = Read({MinutesStatement(since, limit)}, stop);
  if (!results) return results.error();
  return DecodeMinutes(results->front().get());
}

}  // namespace pgvalet::sampler

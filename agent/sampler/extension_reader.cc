#include "sampler/extension_reader.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "sampler/decode.h"
#include "sampler/lease_report.h"
#include "sampler/queries.h"
#include "sampler/reason.h"

namespace pgvalet::sampler {
namespace {

using namespace std::chrono_literals;

// Longer than the server's own statement timeout: it speaks first unless it hangs.
constexpr Duration kReadTimeout = 10s;

// Advice looks at minutes and hours, and costs the server more than all other views.
constexpr Duration kAdviceInterval = 10s;

// It takes no reports, and has neither advice nor pgvalet.events_since().
constexpr const char* kFirstVersion = "1.0";

stats::ExtensionSample Unavailable(std::string reason) {
  stats::ExtensionSample sample;
  sample.reason = std::move(reason);
  return sample;
}

}  // namespace

void ExtensionReader::Disconnect() {
  connection_.Close();
  installed_ = false;
}

Result<stats::ExtensionSample> ExtensionReader::Read(const Target& target) {
  const bool kept = connection_.open();
  const bool assumed = installed_;
  Result<stats::ExtensionSample> sample = ReadOnce(target);
  // A kept connection may have been ended since (a restart, an idle timeout), an extension
  // dropped or updated: that is found out only by using it, and beginning anew may well work.
  const bool lost = kept && !connection_.open();
  const bool changed = assumed && !installed_;
  if (sample.has_value() && !sample->available && (lost || changed)) sample = ReadOnce(target);
  if (sample) sample->sampled_at = stats::WallNow();
  return sample;
}

Result<stats::ExtensionSample> ExtensionReader::ReadOnce(const Target& target) {
  if (!connection_.open()) {
    installed_ = false;
    Result<Done> opened = connection_.Open(target, Clock::now() + target.connect_timeout);
    if (!opened) {
      if (opened.error().code == ErrorCode::kAborted) return opened.error();
      return Unavailable(CannotConnect(opened.error(), target));
    }
  }

  const Time deadline = Clock::now() + kReadTimeout;
  if (!installed_) {
    Result<std::vector<ResultPtr>> probe = connection_.Run(ProbeStatements(), deadline);
    if (!probe) return Explain(probe.error(), target);
    Result<std::optional<std::string>> version = DecodeProbe(probe->front().get());
    if (!version) return Explain(version.error(), target);
    if (!version->has_value()) return Unavailable(NotInstalled(target));
    installed_ = true;
    reports_ = **version != kFirstVersion;
    has_events_ = reports_;
    advises_ = reports_;
    advice_due_ = Time{};
    advice_ = nullptr;
    told_some_ = false;
  }
  return ReadViews(target, deadline);
}

Result<stats::ExtensionSample> ExtensionReader::ReadViews(const Target& target, Time deadline) {
  Result<std::vector<ResultPtr>> results = connection_.Run(SampleStatements(), deadline);
  if (!results) return Explain(results.error(), target);
  Result<stats::ExtensionSample> sample = DecodeSample(*results);
  if (!sample) return Explain(sample.error(), target);
  if (Result<Done> read = ReadAdvice(deadline); !read) return read.error();
  sample->advice = advice_;
  return sample;
}

Result<Done> ExtensionReader::ReadAdvice(Time deadline) {
  const Time now = Clock::now();
  if (!advises_ || now < advice_due_) return Done{};
  advice_due_ = now + kAdviceInterval;
  Result<std::vector<ResultPtr>> results = connection_.Run(AdviceStatements(), deadline);
  if (!results && results.error().code == ErrorCode::kAborted) return results.error();
  if (results) {
    Result<std::vector<stats::AdviceRow>> rows = DecodeAdvice(results->front().get());
    if (rows) {
      advice_ = std::make_shared<const std::vector<stats::AdviceRow>>(std::move(*rows));
      return Done{};
    }
  }
  advises_ = false;
  advice_ = nullptr;
  return Done{};
}

Result<Done> ExtensionReader::Report(const std::string& agent_name,
                                     const std::vector<stats::LeasedClient>& leases,
                                     const Target& target) {
  if (!connection_.open() || !installed_ || !reports_) return Done{};
  // Nobody had a connection and nobody has one now: that is known.
  if (leases.empty() && !told_some_) return Done{};
  told_some_ = !leases.empty();
  Result<std::vector<ResultPtr>> told = connection_.Run(
      {ReportStatement(agent_name, leases, target, Clock::now())}, Clock::now() + kReadTimeout);
  if (told) return Done{};
  if (told.error().code == ErrorCode::kAborted) return told.error();
  reports_ = false;
  return Done{};
}

Result<std::vector<stats::Event>> ExtensionReader::ReadEvents() {
  std::vector<stats::Event> events;
  if (!connection_.open() || !installed_ || !has_events_) return events;
  Result<std::vector<ResultPtr>> results =
      connection_.Run({EventsStatement(last_event_)}, Clock::now() + kReadTimeout);
  if (!results && results.error().code == ErrorCode::kAborted) return results.error();
  Result<std::vector<ExtensionEvent>> rows =
      results ? DecodeEvents(results->front().get()) : results.error();
  if (!rows) {
    has_events_ = false;
    return events;
  }
  // The last one read comes again, as long as the ring has it.  When there is nothing at all this
  // is another server than before, which counts its own.
  if (rows->empty()) last_event_ = 0;
  for (ExtensionEvent& row : *rows) {
    if (row.sequence <= last_event_) continue;
    if (last_event_ > 0) {
      row.event.lost_before = static_cast<std::uint64_t>(row.sequence - last_event_ - 1);
    }
    last_event_ = row.sequence;
    events.push_back(std::move(row.event));
  }
  return events;
}

Result<stats::ExtensionSample> ExtensionReader::Explain(const Error& error, const Target& target) {
  if (error.code == ErrorCode::kAborted) return error;
  // Dropped or replaced extension: ask again what is there before the next reading.
  installed_ = false;
  // "cached plan must not change result type" and "prepared statement does not exist": our
  // prepared statements are of no use any more.
  if (error.sqlstate == "0A000" || error.sqlstate == "26000") Disconnect();
  return Unavailable(CannotRead(error, target));
}

}  // namespace pgvalet::sampler

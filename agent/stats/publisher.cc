#include "stats/publisher.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"
#include "stats/process_usage.h"

namespace pgvalet::stats {

Publisher::Publisher(Registry& registry, SnapshotHub& hub, PublisherSources sources,
                     Duration interval)
    : registry_(registry),
      hub_(hub),
      sources_(std::move(sources)),
      builder_(registry, Moment::Now()),
      interval_(std::max(interval, kMinInterval)) {}

Publisher::~Publisher() { Stop(); }

void Publisher::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Publisher::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Publisher::SetInterval(Duration interval) {
  {
    const std::lock_guard lock(mutex_);
    interval_ = std::max(interval, kMinInterval);
    interval_changed_ = true;
  }
  wake_.notify_all();
}

void Publisher::PublishNow() {
  {
    const std::lock_guard lock(mutex_);
    now_ = true;
  }
  wake_.notify_all();
}

void Publisher::Run() {
  Duration interval{0};
  Time due = Clock::now();
  while (WaitForTurn(due, interval)) PublishOne(interval);
}

bool Publisher::WaitForTurn(Time& due, Duration& interval) {
  std::unique_lock lock(mutex_);
  while (true) {
    // Before waiting too: it may have changed while a snapshot was made and nobody waited.
    if (std::exchange(interval_changed_, false)) due = std::min(due, Clock::now() + interval_);
    if (stopping_ || now_ || Clock::now() >= due) break;
    wake_.wait_until(lock, due);
  }
  if (stopping_) return false;
  interval = interval_;
  // Out of turn: the regular one still comes when it is due.  Late: turns that were missed are
  // left out, and the rhythm is kept.
  if (!std::exchange(now_, false) || Clock::now() >= due) {
    const auto missed = std::max(Since(due, Clock::now()), Duration{0}) / interval_;
    due += interval_ * (missed + 1);
  }
  return true;
}

void Publisher::PublishOne(Duration interval) {
  try {
    SnapshotInputs inputs{.now = Moment::Now(),
                          .interval = interval,
                          .status = sources_.status(),
                          .process = ReadProcessUsage(),
                          .extension = nullptr};
    if (sources_.extension) inputs.extension = sources_.extension();
    registry_.events().EndQuietTimes(inputs.now.steady);
    hub_.Publish(builder_.Build(std::move(inputs), sources_.judge));
  } catch (const std::exception& error) {
    log::error("snapshot left out: {}", error.what());
  }
}

}  // namespace pgvalet::stats

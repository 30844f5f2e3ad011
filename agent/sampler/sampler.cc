#include "sampler/sampler.h"

#include <signal.h>

#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/wait.h"
#include "sampler/extension_reader.h"
#include "sampler/pace.h"

namespace pgvalet::sampler {
namespace {

std::shared_ptr<const stats::ExtensionSample> Unread(std::string reason) {
  auto sample = std::make_shared<stats::ExtensionSample>();
  sample->reason = std::move(reason);
  return sample;
}

// Signals are for the main thread; one that ended up here would be handled twice or late.
void BlockAllSignals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

Sampler::Sampler(Options options)
    : find_password_(std::move(options.find_password)),
      list_leases_(std::move(options.list_leases)),
      agent_name_(std::move(options.agent_name)),
      events_(options.events),
      latest_(Unread("the extension has not been read yet")) {
  orders_.target = TargetOf(*options.settings, find_password_);
}

Sampler::~Sampler() { Stop(); }

Result<Done> Sampler::Start() {
  if (wakeup_.fd() < 0) return Error{ErrorCode::kLimit, "no descriptor for the sampler"};
  {
    std::lock_guard lock(mutex_);
    orders_.stop = false;
  }
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error& error) {
    return Error{ErrorCode::kLimit, "no thread for the sampler", error.code().value()};
  }
  return Done{};
}

void Sampler::Stop() {
  {
    std::lock_guard lock(mutex_);
    orders_.stop = true;
  }
  wakeup_.Signal();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const stats::ExtensionSample> Sampler::Latest() const {
  std::lock_guard lock(mutex_);
  return latest_;
}

void Sampler::UpdateSettings(const config::SettingsPtr& settings) {
  Target target = TargetOf(*settings, find_password_);
  {
    std::lock_guard lock(mutex_);
    if (target == orders_.target) return;
    orders_.target = std::move(target);
    orders_.target_changed = true;
  }
  wakeup_.Signal();
}

// Clears the signal before it looks: an order that comes in between signals again.
Sampler::Orders Sampler::TakeOrders() {
  wakeup_.Clear();
  std::lock_guard lock(mutex_);
  Orders orders = orders_;
  orders_.target_changed = false;
  return orders;
}

void Sampler::Run() {
  BlockAllSignals();
  ExtensionReader reader(wakeup_);
  Pace pace;
  while (true) {
    const Orders orders = TakeOrders();
    if (orders.stop) return;
    const Target& target = orders.target;
    if (orders.target_changed) {
      reader.Disconnect();
      pace = Pace();
    }

    Time next = Time::max();  // sampler_interval = 0: until there are other settings
    if (target.interval > Duration::zero()) {
      const Time started = Clock::now();
      Result<stats::ExtensionSample> sample = reader.Read(target);
      if (!sample) continue;  // aborted: there are new orders
      Publish(std::move(*sample), target.dbname);
      if (list_leases_ && !reader.Report(agent_name_, list_leases_(), target)) continue;
      if (!PassEvents(reader)) continue;
      next = pace.NextAfter(started, Clock::now(), reader.connected(), target);
    } else {
      reader.Disconnect();
      stats::ExtensionSample off;
      off.reason = "sampler_interval is 0: the extension is not read";
      Publish(std::move(off), target.dbname);
    }
    // Ends at `next` or with new orders; either way the loop begins again.
    [[maybe_unused]] const bool ready = WaitFor(-1, 0, wakeup_, next).has_value();
  }
}

bool Sampler::PassEvents(ExtensionReader& reader) {
  if (events_ == nullptr) return true;
  Result<std::vector<stats::Event>> events = reader.ReadEvents();
  if (!events) return false;
  for (stats::Event& event : *events) events_->Add(std::move(event));
  return true;
}

void Sampler::Publish(stats::ExtensionSample sample, const std::string& dbname) {
  auto latest = std::make_shared<const stats::ExtensionSample>(std::move(sample));
  const std::string state = latest->available
                                ? "reads extension pgvalet " + latest->summary.extension_version +
                                      " in database \"" + dbname + "\""
                                : latest->reason;
  const std::string line =
      latest->available && !latest->reason.empty() ? state + "; " + latest->reason : state;
  if (line != logged_) {
    if (latest->available) {
      log::info("sampler: {}", line);
    } else {
      log::warn("sampler: {}", line);
    }
    if (events_ != nullptr) {
      events_->Add(
          {.kind = latest->available ? "extension_read" : "extension_unread", .message = line});
    }
    logged_ = line;
  }
  std::lock_guard lock(mutex_);
  latest_ = std::move(latest);
}

}  // namespace pgvalet::sampler

#include "daemon/balancer.h"

#include <algorithm>

#include "base/log.h"

namespace pgvalet::daemon {
namespace {

// Ticks in a row: quick to grow, slow to shrink.
constexpr int kGrowAfter = 3;
constexpr int kShrinkAfter = 100;

}  // namespace

std::int64_t Balancer::ClientsOf(int core) const {
  return sessions_[static_cast<std::size_t>(core)]->counters().clients.value();
}

int Balancer::LeastClients(int among) const {
  int best = 0;
  for (int core = 1; core < among; ++core) {
    if (ClientsOf(core) < ClientsOf(best)) best = core;
  }
  return best;
}

int Balancer::Busiest() const {
  int best = 0;
  for (int core = 1; core < in_use_; ++core) {
    if (loads_[static_cast<std::size_t>(core)].share > loads_[static_cast<std::size_t>(best)].share)
      best = core;
  }
  return best;
}

int Balancer::Place() const { return in_use_ == 1 ? 0 : LeastClients(in_use_); }

void Balancer::Measure(Time now) {
  loads_.resize(sessions_.size());
  const double window_us =
      static_cast<double>(std::max<std::int64_t>(1, Since(measured_at_, now).count()));
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    const std::uint64_t busy = sessions_[i]->counters().busy_us.value();
    loads_[i].share = static_cast<double>(busy - loads_[i].busy_us) / window_us;
    loads_[i].busy_us = busy;
  }
  measured_at_ = now;
}

void Balancer::Tick(Time now) {
  // Too short a window says nothing.
  if (Since(measured_at_, now) < std::chrono::milliseconds(90)) return;
  Measure(now);
  double total = 0;
  double highest = 0;
  for (int core = 0; core < in_use_; ++core) {
    total += loads_[static_cast<std::size_t>(core)].share;
    highest = std::max(highest, loads_[static_cast<std::size_t>(core)].share);
  }
  busy_ticks_ = busy_ > 0 && highest > busy_ ? busy_ticks_ + 1 : 0;
  // Without one of them the others would still be far from busy.
  calm_ticks_ = in_use_ > 1 && total < busy_ / 2 * (in_use_ - 1) ? calm_ticks_ + 1 : 0;
  if (busy_ticks_ >= kGrowAfter) Grow();
  if (calm_ticks_ >= kShrinkAfter) Shrink();
}

void Balancer::Grow() {
  busy_ticks_ = 0;
  const int from = Busiest();
  int to = LeastClients(in_use_);
  if (in_use_ < cores_) {
    to = in_use_++;
    log::info("cores in use: {} of {}", in_use_, cores_);
  }
  const std::int64_t surplus = (ClientsOf(from) - ClientsOf(to)) / 2;
  if (from == to || surplus <= 0) return;
  session::SessionContext* source = sessions_[static_cast<std::size_t>(from)];
  source->loop().Post(
      [source, to, surplus] { source->MoveClients(to, static_cast<std::size_t>(surplus)); });
}

void Balancer::Shrink() {
  calm_ticks_ = 0;
  const int from = --in_use_;
  const int to = LeastClients(in_use_);
  log::info("cores in use: {} of {}", in_use_, cores_);
  session::SessionContext* source = sessions_[static_cast<std::size_t>(from)];
  // Every one, also those that come to this core on ways already begun.
  source->loop().Post([source, to] { source->MoveClients(to, SIZE_MAX / 2); });
}

}  // namespace pgvalet::daemon

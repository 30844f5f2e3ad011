#include "notify/subscriber.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace pgvalet::notify {

Subscriber::Subscriber(Directory& directory, io::Loop& loop, EventSink& sink, pool::PoolKey key)
    : directory_(directory),
      loop_(loop),
      sink_(sink),
      key_(std::move(key)),
      link_(directory.MakeLink(loop)) {
  link_->subscriber = this;
}

Subscriber::~Subscriber() {
  link_->subscriber = nullptr;
  directory_.Leave(link_);
}

void Subscriber::Subscribe(std::vector<std::string> channels) {
  assert(!moving() && !lost_);
  step_ = Step::kAsked;
  marker_seen_ = false;
  moving_ = channels;
  directory_.Subscribe(link_, key_, std::move(channels), ++move_);
}

void Subscriber::Mark() {
  if (step_ != Step::kSubscribed) return;
  step_ = Step::kMarking;
  token_ = std::to_string(link_->id) + "." + std::to_string(move_);
  directory_.Mark(link_, token_);
}

bool Subscriber::CallOff() {
  if (!moving() || marker_seen_) return false;
  directory_.Unsubscribe(link_, std::move(moving_));
  EndMove();
  loop_.Defer(*this);
  return true;
}

bool Subscriber::PassLeaseNotification(std::string_view channel, std::string_view payload) {
  if (channel != marker_channel_) return !moved_.contains(channel);
  // Everybody's markers come along here; one of a move that failed is nobody's.
  if (step_ == Step::kMarking && !marker_seen_ && payload == token_) {
    marker_seen_ = true;
    moved_.insert(std::make_move_iterator(moving_.begin()), std::make_move_iterator(moving_.end()));
    moving_.clear();
    loop_.Defer(*this);
  }
  return false;
}

void Subscriber::Unsubscribe(const std::vector<std::string>& channels) {
  for (const std::string& channel : channels) {
    moved_.erase(channel);
    std::erase(moving_, channel);
  }
  directory_.Unsubscribe(link_, channels);
}

void Subscriber::UnsubscribeAll() {
  moved_.clear();
  moving_.clear();
  directory_.UnsubscribeAll(link_);
}

void Subscriber::Barrier() { directory_.Barrier(link_); }

void Subscriber::Resume() {
  paused_ = false;
  loop_.Defer(*this);
}

void Subscriber::Take(Mail mail) {
  if (lost_) return;
  if (std::holds_alternative<Lost>(mail.event)) return TakeLost(mail);
  held_.push_back(std::move(mail));
  Pump();
}

// It overtakes what is kept back: that would not be whole, and who waits for the marker on the
// lease need not go on waiting.
void Subscriber::TakeLost(const Mail& mail) {
  link_->undelivered_bytes.fetch_sub(mail.Cost(), std::memory_order_relaxed);
  if (moved_.empty()) {
    // What was under way is not: the lease still has everything.
    DropHeld();
    if (!moving() || mail.move != move_) return;  // of a move that is over
    EndMove();
    return sink_.OnEvent(Refused{std::get<Lost>(mail.event).error});
  }
  lost_ = true;
  DropHeld();
  directory_.Leave(link_);  // a move may have begun meanwhile
  EndMove();
  moved_.clear();
  sink_.OnEvent(mail.event);
}

// All but answers to Barrier(), which always come.
void Subscriber::DropHeld() {
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(next_));
  next_ = 0;
  std::erase_if(held_, [this](const Mail& mail) {
    if (std::holds_alternative<BarrierPassed>(mail.event)) return false;
    link_->undelivered_bytes.fetch_sub(mail.Cost(), std::memory_order_relaxed);
    return true;
  });
}

void Subscriber::Pump() {
  const LinkPtr link = link_;
  while (!lost_ && next_ < held_.size() && MayDeliver(held_[next_])) {
    const Mail mail = std::move(held_[next_++]);
    link->undelivered_bytes.fetch_sub(mail.Cost(), std::memory_order_relaxed);
    Deliver(mail);
    if (link->subscriber == nullptr) return;  // the sink has destroyed us
  }
  DropDelivered();
}

void Subscriber::DropDelivered() {
  if (next_ == held_.size()) {
    held_.clear();
    next_ = 0;
  } else if (next_ > held_.size() / 2) {
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(next_));
    next_ = 0;
  }
}

bool Subscriber::MayDeliver(const Mail& mail) const {
  if (paused_) return false;
  const bool is_mark = std::holds_alternative<Marked>(mail.event) && moving() && mail.move == move_;
  return !is_mark || marker_seen_;
}

void Subscriber::Deliver(const Mail& mail) {
  if (Wanted(mail)) sink_.OnEvent(mail.event);
}

bool Subscriber::Wanted(const Mail& mail) {
  if (const auto* notification = std::get_if<Notification>(&mail.event)) {
    return moved_.contains(notification->channel());
  }
  if (std::holds_alternative<BarrierPassed>(mail.event)) return true;
  if (!moving() || mail.move != move_) return false;  // of a move that is over
  if (const auto* subscribed = std::get_if<Subscribed>(&mail.event)) {
    marker_channel_ = subscribed->marker_channel;
    step_ = Step::kSubscribed;
  } else {
    EndMove();
  }
  return true;
}

void Subscriber::EndMove() {
  step_ = Step::kNone;
  moving_.clear();
  marker_seen_ = false;
}

}  // namespace pgvalet::notify

#include "notify/mailbox.h"

#include <utility>

#include "notify/subscriber.h"

namespace pgvalet::notify {
namespace {

// A vector that a burst has made longer than this is given back.
constexpr std::size_t kKeptMails = 1024;
// A mail without its bytes, roughly.
constexpr std::int64_t kMailBytes = 128;

}  // namespace

std::int64_t Mail::Cost() const {
  const auto* notification = std::get_if<Notification>(&event);
  if (notification == nullptr) return kMailBytes;
  return kMailBytes + static_cast<std::int64_t>(notification->message().size());
}

void Mailbox::Put(Mail mail) {
  bool first;
  {
    const std::lock_guard lock(mutex_);
    first = arrived_.empty();
    arrived_.push_back(std::move(mail));
  }
  // A lone pointer: std::function keeps it without allocating.
  if (first) loop_.Post([this] { Drain(); });
}

void Mailbox::Drain() {
  {
    const std::lock_guard lock(mutex_);
    draining_.swap(arrived_);
  }
  for (Mail& mail : draining_) {
    // By the time it arrives the client may be gone, also because of a mail before this one.
    Subscriber* const subscriber = mail.to->subscriber;
    if (subscriber != nullptr) subscriber->Take(std::move(mail));
  }
  draining_.clear();
  if (draining_.capacity() > kKeptMails) draining_.shrink_to_fit();
}

}  // namespace pgvalet::notify

#include "notify/directory.h"

#include <utility>

namespace pgvalet::notify {

Directory::Directory(pool::Shared& pools, io::Loop& hub_loop, config::SettingsPtr settings,
                     Options options)
    : context_{hub_loop,
               pools,
               std::move(settings),
               options,
               std::make_shared<Counters>(),
               [this](const std::string& database) { OnUnused(database); }} {}

Directory::~Directory() { Close(); }

void Directory::Close() {
  closed_.store(true, std::memory_order_relaxed);
  hubs_.clear();
}

void Directory::SetSettings(config::SettingsPtr settings) {
  Post([this, settings = std::move(settings)] { context_.settings = settings; });
}

LinkPtr Directory::MakeLink(io::Loop& loop) {
  const std::uint64_t id = last_link_.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Mailbox>& mailbox = mailboxes_[&loop];
  if (!mailbox) mailbox = std::make_unique<Mailbox>(loop);
  return std::make_shared<Link>(id, *mailbox);
}

// Also for callers on the hubs' own loop: the order is the same for all, and nothing re-enters.
void Directory::Post(std::function<void()> call) {
  if (!closed_.load(std::memory_order_relaxed)) context_.loop.Post(std::move(call));
}

void Directory::Subscribe(const LinkPtr& link, const pool::PoolKey& key,
                          std::vector<std::string> channels, std::uint64_t move) {
  Post([this, link, key, channels = std::move(channels), move] {
    HubOf(key.database).Subscribe(link, key, channels, move);
  });
}

void Directory::Mark(const LinkPtr& link, std::string token) {
  Post([link, token = std::move(token)] {
    if (link->hub != nullptr) link->hub->Mark(*link, token);
  });
}

void Directory::Barrier(const LinkPtr& link) {
  Post([link] {
    if (link->hub != nullptr) return link->hub->Barrier(link);
    Tell(link, BarrierPassed{});  // nothing can be on its way to this client
  });
}

void Directory::Unsubscribe(const LinkPtr& link, std::vector<std::string> channels) {
  Post([link, channels = std::move(channels)] {
    if (link->hub != nullptr) link->hub->Unsubscribe(*link, channels);
  });
}

void Directory::UnsubscribeAll(const LinkPtr& link) {
  Post([link] {
    if (link->hub != nullptr) link->hub->UnsubscribeAll(*link);
  });
}

void Directory::Leave(const LinkPtr& link) {
  Post([link] {
    if (link->hub != nullptr) link->hub->Leave(*link);
  });
}

Hub& Directory::HubOf(const std::string& database) {
  std::unique_ptr<Hub>& hub = hubs_[database];
  if (!hub) hub = std::make_unique<Hub>(context_, database);
  return *hub;
}

void Directory::OnUnused(const std::string& database) {
  // Later: it is the hub that calls.
  Post([this, database] {
    const auto found = hubs_.find(database);
    if (found != hubs_.end() && found->second->unused()) hubs_.erase(found);
  });
}

}  // namespace pgvalet::notify

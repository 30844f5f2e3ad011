// Directory: the listening connections of the process, one for each database that clients listen
// in.
//
// Clients use it through a Subscriber (notify/subscriber.h); this class carries their calls to the
// hubs and the hubs' events back.
//
// Thread    the hubs live on one loop and are touched there alone; all public functions but Close()
//           may be called on any thread.
// Lifetime  made before its loops run.  When none of them runs any more, Close(), then the loops
// may
//           be destroyed; the directory outlives every Subscriber.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/settings.h"
#include "io/loop.h"
#include "notify/hub.h"
#include "notify/mailbox.h"
#include "pool/pool_directory.h"

namespace pgvalet::notify {

class Directory {
 public:
  // `pools` and `hub_loop` outlive it (the loop: up to Close()).
  Directory(pool::Shared& pools, io::Loop& hub_loop, config::SettingsPtr settings,
            Options options = {});
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  // For connections that are made from now on.
  void SetSettings(config::SettingsPtr settings);
  // Closes all connections; calls of subscribers do nothing any more.  REQUIRES: none of the loops
  // runs.
  void Close();

  std::shared_ptr<const Counters> counters() const { return context_.counters; }

 private:
  friend class Subscriber;

  // For subscribers.
  LinkPtr MakeLink(io::Loop& loop);
  void Subscribe(const LinkPtr& link, const pool::PoolKey& key, std::vector<std::string> channels,
                 std::uint64_t move);
  void Mark(const LinkPtr& link, std::string token);
  void Barrier(const LinkPtr& link);
  void Unsubscribe(const LinkPtr& link, std::vector<std::string> channels);
  void UnsubscribeAll(const LinkPtr& link);
  void Leave(const LinkPtr& link);

  void Post(std::function<void()> call);
  // On the hubs' loop.
  Hub& HubOf(const std::string& database);
  void OnUnused(const std::string& database);

  HubContext context_;
  std::map<std::string, std::unique_ptr<Hub>> hubs_;  // on their loop only
  std::atomic<bool> closed_{false};
  std::atomic<std::uint64_t> last_link_{0};

  std::mutex mutex_;  // protects all below
  std::map<io::Loop*, std::unique_ptr<Mailbox>> mailboxes_;
};

}  // namespace pgvalet::notify

// Sampler: reads the extension through libpq, once per sampler_interval, and tells it which
// clients have our server connections.
//
// Threads   one of its own between Start() and Stop(); Latest() and UpdateSettings() may
//           be called from any thread, Start() and Stop() from the one that owns it.
// Lifetime  made after the settings are loaded; Stop() before the log is stopped.
// Failure   never fails towards its owner: whatever is wrong (no server, no extension,
//           no right to read it) is the `reason` of the sample, is logged when it
//           changes, and is tried again.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/wakeup.h"
#include "config/settings.h"
#include "sampler/extension_reader.h"
#include "sampler/target.h"
#include "stats/event_log.h"
#include "stats/extension_sample.h"
#include "stats/lease_board.h"

namespace pgvalet::sampler {

// The clients that have a server connection now.
using LeaseList = std::function<std::vector<stats::LeasedClient>()>;

class Sampler {
 public:
  struct Options {
    config::SettingsPtr settings;       // never null
    PasswordLookup find_password;       // what auth_file knows; may be null; called from the thread
                                        // that constructs the sampler or calls UpdateSettings()
    LeaseList list_leases = nullptr;    // may be null: nothing is told; called from its thread
    std::string agent_name = {};        // what our connections carry as pgvalet.agent
    stats::EventLog* events = nullptr;  // gets the extension's; may be null; outlives the sampler
  };

  explicit Sampler(Options options);
  ~Sampler();  // stops
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  // Fails with kLimit when the process may have no further thread or descriptor.
  Result<Done> Start();

  // Returns when the thread has ended, at once even while a server hangs.
  void Stop();

  // The last reading; never null.  Before the first one it says "not read yet".
  std::shared_ptr<const stats::ExtensionSample> Latest() const;

  // Reconnects and reads at once when something that concerns the sampler has changed.
  void UpdateSettings(const config::SettingsPtr& settings);

 private:
  struct Orders {
    bool stop = false;
    bool target_changed = false;
    Target target;
  };

  void Run();
  Orders TakeOrders();
  // False: aborted, there are new orders.
  bool PassEvents(ExtensionReader& reader);
  void Publish(stats::ExtensionSample sample, const std::string& dbname);

  const PasswordLookup find_password_;
  const LeaseList list_leases_;
  const std::string agent_name_;
  stats::EventLog* const events_;
  Wakeup wakeup_;  // signalled with every new order
  std::thread thread_;
  std::string logged_;  // what the log said last; the thread's own

  mutable std::mutex mutex_;  // protects all below
  Orders orders_;
  std::shared_ptr<const stats::ExtensionSample> latest_;
};

}  // namespace pgvalet::sampler

// ExtensionReader: one reading of the extension after the other, over one kept connection.
//
// Lives on the sampler's thread.  Holds what lasts from one reading to the next: the
// connection, and whether the extension was there.  The same connection tells the extension
// who has our server connections.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/wakeup.h"
#include "sampler/connection.h"
#include "sampler/target.h"
#include "stats/event.h"
#include "stats/extension_sample.h"
#include "stats/lease_board.h"

namespace pgvalet::sampler {

class ExtensionReader {
 public:
  // `abort` must outlive the reader.
  explicit ExtensionReader(const Wakeup& abort) : connection_(abort) {}

  // Connects where needed and reads all views.  What keeps it from reading is no error
  // but a sample with available = false and a reason.
  // Fails with kAborted only.
  Result<stats::ExtensionSample> Read(const Target& target);

  // Tells which clients have which of `agent_name`'s connections, if the last reading found an
  // extension that takes it.  What keeps it from telling is no error: it is not tried again
  // until the connection or the extension is another.
  // Fails with kAborted only.
  Result<Done> Report(const std::string& agent_name, const std::vector<stats::LeasedClient>& leases,
                      const Target& target);

  // The extension's events since the last call, oldest first; the first time all that it has.  What
  // keeps it from reading is no error: there are none, and it is not tried again until the
  // connection or the extension is another.
  // Fails with kAborted only.
  Result<std::vector<stats::Event>> ReadEvents();

  // Does the connection stand?
  bool connected() const { return connection_.open(); }

  // The next Read() connects anew.
  void Disconnect();

 private:
  Result<stats::ExtensionSample> ReadOnce(const Target& target);
  Result<stats::ExtensionSample> ReadViews(const Target& target, Time deadline);
  // Brings advice_ up to date when it is due.  What keeps it from that is no error: it is not tried
  // again until the connection or the extension is another.  Fails with kAborted only.
  Result<Done> ReadAdvice(Time deadline);
  Result<stats::ExtensionSample> Explain(const Error& error, const Target& target);

  Connection connection_;
  bool installed_ = false;       // the last probe or reading found the extension
  bool reports_ = false;         // it takes reports, as far as we know
  bool told_some_ = false;       // the last report had clients in it
  bool has_events_ = false;      // it has events that we may read, as far as we know
  std::int64_t last_event_ = 0;  // the extension's number of the last one read; 0: none yet
  bool advises_ = false;         // it has advice, as far as we know
  Time advice_due_{};
  std::shared_ptr<const std::vector<stats::AdviceRow>> advice_;
};

}  // namespace pgvalet::sampler

// Resolve: host names to addresses without ever holding up the sampler.
//
// libpq looks names up inside PQconnectPoll() and blocks there for as long as the
// name server likes; with `hostaddr` given it does not.  So names are looked up
// here, by getaddrinfo() on a thread of its own that is left to itself when it
// takes too long: it owns nothing but the shared answer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/wakeup.h"
#include "sampler/target.h"

namespace pgvalet::sampler {

// One address to try, as libpq takes it: `host` for certificates and the password
// file, `hostaddr` to connect to (empty for a Unix socket).
struct ResolvedAddress {
  std::string host;
  std::string hostaddr;
  std::uint16_t port = 5432;
  bool operator==(const ResolvedAddress&) const = default;
};

class Resolver {
 public:
  // Every address of every host, in the order given.  Names that cannot be found
  // are left out as long as one address is left.
  // Fails with kNotFound, kTimeout, or kAborted when `abort` is signalled.
  Result<std::vector<ResolvedAddress>> Resolve(const std::vector<Address>& addresses,
                                               const Wakeup& abort, Time deadline);

 private:
  struct Lookup;
  Result<std::vector<std::string>> LookUp(const std::string& host, const Wakeup& abort,
                                          Time deadline);

  // A look-up that was given up and may still be running: asked again instead of
  // starting a second one, so a dead name server costs one thread, not one per attempt.
  std::shared_ptr<Lookup> running_;
};

// True for names that need a look-up, false for numeric addresses and socket directories.
bool NeedsLookup(const std::string& host);

}  // namespace pgvalet::sampler

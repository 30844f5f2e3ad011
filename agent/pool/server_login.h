// Connecting and logging in to a server, as one coroutine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "auth/server_auth.h"
#include "io/channel.h"
#include "io/resolver.h"
#include "pool/group.h"
#include "pool/policy.h"
#include "pool/reported_session.h"

namespace pgvalet::pool {

// A server connection that has just said ReadyForQuery.
struct LoggedIn {
  std::unique_ptr<io::Stream> stream;
  io::Address address;
  WelcomePtr welcome;
  std::uint32_t backend_pid = 0;
  std::string cancel_secret;
  std::shared_ptr<const auth::ScramKeys> learned_keys;  // null: none
  std::unique_ptr<ReportedSession> reported;            // never null
  std::string state;                                    // what it says the session carries
};

struct LoginTarget {
  std::vector<config::HostPort> hosts;
  std::string dbname;
  std::string user;
  std::vector<std::pair<std::string, std::string>> startup;
  std::string connect_query;
  auth::ServerCredentials credentials;
};

// Tries the hosts in order, and of each all addresses.  `channel` carries the deadline.  Errors:
// kServer with the server's own SQLSTATE and text, kAuth when we cannot log in, kIo or kNotFound
// when no host could be reached, kTimeout.
io::Task<Result<LoggedIn>> LogIn(io::Loop& loop, io::Resolver& resolver, io::Channel& channel,
                                 LoginTarget target);

// Could another try a moment later go better without anybody changing anything?  True for an
// unreachable host, and for a server that starts, stops or is full.
bool WorthRetrying(const Error& error);

}  // namespace pgvalet::pool

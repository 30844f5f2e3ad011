// What the log says of clients, in our words or in PgBouncer's (log_format).
//
// PgBouncer's lines begin with "C-0x7fe1: app/alice@127.0.0.1:46292", by which its tools know a
// client.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "io/address.h"

namespace pgvalet::session {

// A client as the log names it; lives for one call.
struct LoggedClient {
  const void* address;  // of its session in memory
  const io::PeerAddress& peer;
  const std::string& database;  // empty: not known yet
  const std::string& user;
};

// A client has said who it is, and has yet to prove it.
void LogLoginAttempt(const LoggedClient& client);
void LogLogin(const LoggedClient& client);
// It was not let in.
void LogRefusal(const LoggedClient& client, std::string_view reason);
// It is told why it has to go.
void LogError(const LoggedClient& client, std::string_view sqlstate, std::string_view message);
// It has gone after `age`.
void LogGoodbye(const LoggedClient& client, std::string_view reason, Duration age);

}  // namespace pgvalet::session

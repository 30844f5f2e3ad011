#include "session/session_log.h"

#include <fmt/format.h>

#include "base/log.h"

namespace pgvalet::session {
namespace {

bool InPgBouncersWords() { return CurrentLogStyle() == LogStyle::kPgBouncer; }

std::string NameOf(const LoggedClient& client) {
  const bool is_unix = client.peer.family == AF_UNIX;
  return fmt::format("C-{}: {}/{}@{}", client.address,
                     client.database.empty() ? "(nodb)" : client.database,
                     client.user.empty() ? "(nouser)" : client.user,
                     is_unix ? fmt::format("unix:{}", client.peer.port) : client.peer.ToString());
}

}  // namespace

void LogLoginAttempt(const LoggedClient& client) {
  if (!InPgBouncersWords()) return;
  log::info("{} login attempt: db={} user={} tls=no", NameOf(client), client.database, client.user);
}

void LogLogin(const LoggedClient& client) {
  if (InPgBouncersWords()) return;  // the attempt is enough there
  log::info("client logged in: client={} database={} user={}", client.peer.ToString(),
            client.database, client.user);
}

void LogRefusal(const LoggedClient& client, std::string_view reason) {
  if (InPgBouncersWords()) {
    log::info("{} login failed: db={} user={} reason={}", NameOf(client), client.database,
              client.user, reason);
  } else {
    log::warn("login refused: client={} database={} user={} reason={}", client.peer.ToString(),
              client.database, client.user, reason);
  }
}

void LogError(const LoggedClient& client, std::string_view sqlstate, std::string_view message) {
  if (InPgBouncersWords()) {
    log::warn("{} pooler error: {}", NameOf(client), message);
  } else {
    log::warn("client told to go: client={} sqlstate={} message={}", client.peer.ToString(),
              sqlstate, message);
  }
}

void LogGoodbye(const LoggedClient& client, std::string_view reason, Duration age) {
  if (InPgBouncersWords()) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
    log::info("{} closing because: {} (age={}s)", NameOf(client),
              reason == "the client said goodbye" ? "client close request" : reason, seconds);
  } else {
    log::info("client gone: client={} database={} user={} reason={}", client.peer.ToString(),
              client.database, client.user, reason);
  }
}

}  // namespace pgvalet::session

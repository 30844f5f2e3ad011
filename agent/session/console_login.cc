// ClientLogin: to the administration databases.
//
// Whoever is in admin_users or stats_users comes in with the password of auth_file; no server is
// asked.  The user who runs the agent comes in over a Unix socket without a password, as
// "pgbouncer" or "pgvalet": the system says who is at the other end.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "session/client_login.h"
#include "session/client_session.h"
#include "session/context.h"
#include "session/secret_lookup.h"
#include "session/session_log.h"
#include "wire/message_builder.h"

namespace pgvalet::session {
namespace {

// They do not count in max_client_conn, so they need a bound of their own.
constexpr int kMaxConsoleClients = 100;

bool IsOneOf(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool ClientLogin::IsOwner() const {
  if (user_ != "pgbouncer" && user_ != "pgvalet") return false;
  ucred peer{};
  socklen_t length = sizeof peer;
  return session_.peer().family == AF_UNIX &&
         getsockopt(session_.stream_.fd(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
         peer.uid == geteuid();
}

io::Task<Result<Done>> ClientLogin::LogInToConsole() {
  is_for_console_ = true;
  const config::SettingsPtr settings = context_.settings();
  is_admin_ = IsOwner() || IsOneOf(settings->admin_users, user_);
  const bool is_known = is_admin_ || IsOneOf(settings->stats_users, user_);
  if (!IsOwner() && settings->auth_type != config::AuthType::kTrust) {
    // Who is not in the lists fails like one with a wrong password.
    if (is_known) secret_ = KnownSecret(context_, user_);
    if (Result<Done> known = co_await Prove(settings->auth_type); !known) co_return known.error();
  }
  if (!is_known) {
    co_return Error{
        ErrorCode::kAuth, "the user is neither in admin_users nor in stats_users", 0, {}, "28000"};
  }
  if (context_.shared().console_clients.load(std::memory_order_relaxed) >= kMaxConsoleClients) {
    co_return Error{ErrorCode::kLimit, "too many clients of the console", 0, {}, "53300"};
  }
  session_.cancel_key_ = context_.shared().cancels.Add(session_, context_.core());
  pool::Welcome welcome;
  welcome.parameters = context_.shared().console->Parameters();
  SendWelcome(welcome, *context_.states().none());
  if (settings->log_connections) {
    LogLogin({&session_, session_.peer(), database_, user_});
  }
  co_return Done{};
}

}  // namespace pgvalet::session

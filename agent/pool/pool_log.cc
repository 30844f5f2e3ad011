#include "pool/pool_log.h"

#include <fmt/format.h>

#include "base/log.h"

namespace pgvalet::pool {
namespace {

bool InPgBouncersWords() { return CurrentLogStyle() == LogStyle::kPgBouncer; }

std::string NameOf(const ServerConnection& server, const PoolKey& key) {
  const io::Address& address = server.address;
  return fmt::format("S-{}: {}/{}@{}", static_cast<const void*>(&server), key.database, key.user,
                     address.is_unix() ? "unix:" + address.ToString() : address.ToString());
}

}  // namespace

void LogOpened(const ServerConnection& server, const PoolKey& key,
               const config::Settings& settings) {
  if (InPgBouncersWords() && settings.log_connections) {
    const io::Address local = io::LocalAddress(server.stream->fd());
    log::info("{} new connection to server (from {})", NameOf(server, key),
              local.is_unix() ? "unix" : local.ToString());
  } else {
    log::debug("server connection opened: database={} user={} server_pid={} address={}",
               key.database, key.user, server.backend_pid, server.address.ToString());
  }
}

void LogClosed(const ServerConnection& server, const PoolKey& key, const config::Settings& settings,
               const char* reason, Time now) {
  if (InPgBouncersWords() && settings.log_disconnections) {
    const Duration age = Since(server.connected_at, now);
    log::info("{} closing because: {} (age={}s)", NameOf(server, key), reason,
              std::chrono::duration_cast<std::chrono::seconds>(age).count());
  } else {
    log::debug("server connection closed: database={} user={} server_pid={} reason={}",
               key.database, key.user, server.backend_pid, reason);
  }
}

}  // namespace pgvalet::pool

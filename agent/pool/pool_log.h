// What the log says of server connections: for those who look for faults, or (log_format) in
// PgBouncer's words, whose lines begin with "S-0x7fe1: app/alice@127.0.0.1:5432".
#pragma once

#include "base/clock.h"
#include "config/settings.h"
#include "pool/policy.h"
#include "pool/server_connection.h"

namespace pgvalet::pool {

void LogOpened(const ServerConnection& server, const PoolKey& key,
               const config::Settings& settings);
void LogClosed(const ServerConnection& server, const PoolKey& key, const config::Settings& settings,
               const char* reason, Time now);

}  // namespace pgvalet::pool

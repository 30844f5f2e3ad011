// The settings a client brings in its startup packet.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/settings.h"
#include "io/task.h"
#include "pool/pool.h"
#include "wire/session_state.h"
#include "wire/startup.h"

namespace pgvalet::session {

class SessionContext;

// Everything but user and database, "options" taken apart, what ignore_startup_parameters names
// left out.  `peer` is appended to application_name if application_name_add_host says so.  An error
// when a client may not send it: replication, pgvalet.*, malformed options.
Result<wire::StateRef> SettingsOf(SessionContext& context, const wire::StartupPacket& startup,
                                  std::string_view peer);

// The same settings as the server spells them, after it has accepted them; asks a server the first
// time settings like these are seen.  An error is the server's own (kServer).
io::Task<Result<wire::StateRef>> AcceptSettings(SessionContext& context, pool::Pool& pool,
                                                wire::StateRef asked);

}  // namespace pgvalet::session

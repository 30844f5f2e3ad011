// Makes a server connection carry the state a client wants.
#pragma once

#include <string>
#include <string_view>

#include "io/channel.h"
#include "pool/server_connection.h"
#include "pool/server_query.h"
#include "wire/session_state.h"

namespace pgvalet::pool {

// Appends the one message that turns what `server` carries into `wanted`, a command with its own
// ReadyForQuery; true when there was something to do.  `sequences` as the extension reported them,
// or nothing.  With the extension a failure leaves the backend refusing whatever comes behind.
bool AppendRestore(std::string& out, const ServerConnection& server,
                   const wire::SessionState& wanted, std::string_view sequences = {});

// Notes a ParameterStatus of the name wire::kSessionParameter; the report, if it is whole.
std::optional<wire::SessionReport> TakeReport(ServerConnection& server, wire::StateStore& states,
                                              std::string_view value);

// The same on a connection that nobody else uses.  After a refusal of the server (kServer) the
// connection can be used again only if it has no extension.
io::Task<Result<QueryOutcome>> Restore(io::Channel& channel, ServerConnection& server,
                                       wire::StateStore& states, wire::StateRef wanted);

}  // namespace pgvalet::pool

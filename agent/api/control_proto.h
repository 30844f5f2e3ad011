// What the door tells, as messages of proto/pgvalet/v1/control.proto.
#pragma once

#include <optional>
#include <string>

#include "control/door.h"
#include "pgvalet/v1/control.pb.h"

namespace pgvalet::api {

void Fill(v1::Client& message, const control::ClientInfo& client);
void Fill(v1::Server& message, const control::ServerInfo& server);
void Fill(v1::ListSettingsResponse& message, const control::EffectiveSettings& effective);

// Nothing when it is unspecified or of a newer contract.
std::optional<control::Shutdown> ShutdownOf(v1::ShutdownMode mode);

// Is this connection one of the pools asked for?  Empty: of any.
bool IsOf(const control::ConnectionInfo& info, const std::string& database,
          const std::string& user);

}  // namespace pgvalet::api

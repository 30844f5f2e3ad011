// PostgreSQL steps: through the pool as a client, and past it to the server.
#pragma once

#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/doctor/checks.h"
#include "cli/doctor/facts.h"
#include "cli/doctor/finding.h"

namespace pgvalet::cli::doctor {

// Steps pool_port and pool_login.  `agent_uri` may be empty; `facts` is null without an agent.
void AskPool(const Common& common, const std::string& agent_uri, const Facts* facts,
             Findings& findings);

// Steps server_login and server_extension.  Returns the limits of the server, if it tells.
std::optional<ServerLimits> AskServer(const Common& common, const std::string& server_uri,
                                      Findings& findings);

}  // namespace pgvalet::cli::doctor

// Agent steps: to the agent's gRPC service, and what it says of itself.
#pragma once

#include <optional>

#include "cli/command.h"
#include "cli/doctor/facts.h"
#include "cli/doctor/finding.h"

namespace pgvalet::cli::doctor {

// Steps address, connection, grpc, token.  Nothing: no agent answers, or it does not let us in.
std::optional<Facts> AskAgent(const Common& common, Findings& findings);

}  // namespace pgvalet::cli::doctor

// Checks: what the facts of an agent mean; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/doctor/facts.h"
#include "cli/doctor/finding.h"

namespace pgvalet::cli::doctor {

// Steps version, state, databases, limits.  `our_version` is that of this program.
Findings CheckAgent(const Facts& facts, const std::string& our_version);

// Step servers: whether the agent gets its server connections.
Findings CheckServers(const Facts& facts);

// The limits of the server that pools lead to.
struct ServerLimits {
  std::int64_t max_connections = 0;
  std::int64_t reserved_connections = 0;
};

// Steps extension and max_connections.  `asked` is what the server itself said; else what the
// extension says counts.
Findings CheckExtension(const Facts& facts);
Findings CheckMaxConnections(const Facts& facts, const std::optional<ServerLimits>& asked);

// Step leaks: sessions that wait inside a transaction, and clients that do not let go of their
// server connection.
Findings CheckLeaks(const Facts& facts);

// Step alerts: those in force that no other step speaks of.
Findings CheckAlerts(const Facts& facts);

// Step settings: what is set in a way that does harm.  REQUIRES: facts.settings.
Findings CheckSettings(const Facts& facts);

}  // namespace pgvalet::cli::doctor

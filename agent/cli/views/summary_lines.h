// The lines about agent and server that stand above every table; pure.
#pragma once

#include <string>

#include "cli/screen/line.h"
#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::cli {

// "pgvaletd 0.1.0 at 127.0.0.1:6544, running, up 3d04h".
Line AgentLine(const v1::Snapshot& snapshot, const std::string& address);

// Clients, memory, descriptors, cores.
Lines AgentLines(const v1::Snapshot& snapshot);

// Connections of the server with a bar, or why nothing is known of them.
Lines ServerLines(const v1::Snapshot& snapshot);

// Is the agent open to clients?
bool Healthy(const v1::Snapshot& snapshot);

}  // namespace pgvalet::cli

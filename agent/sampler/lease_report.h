// LeaseReport: what is told to the extension of the clients behind our connections.
//
// Pure.  The statement's parameters are arrays as text; names are made plain ASCII, because the
// database may have any encoding, and ages are told instead of times, because its clock may differ.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "sampler/connection.h"
#include "sampler/target.h"
#include "stats/lease_board.h"

namespace pgvalet::sampler {

// "host:port,..." as LeasedClient::servers has it.
std::string ServersOf(const Target& target);

// Leases of other servers than the target's are left out.
Statement ReportStatement(const std::string& agent_name,
                          const std::vector<stats::LeasedClient>& leases, const Target& target,
                          Time now);

}  // namespace pgvalet::sampler

// Connections of the agent, clients and servers, as tables; pure.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "cli/screen/sorted_table.h"
#include "pgvalet/v1/control.pb.h"

namespace pgvalet::cli {

// `now` is the agent's time.
SortedTable ClientsTable(const v1::ListClientsResponse& clients,
                         const google::protobuf::Timestamp& now);
SortedTable ServersTable(const v1::ListServersResponse& servers,
                         const google::protobuf::Timestamp& now);

// "10.0.0.5:4711", "[::1]:4711", "unix".
std::string EndpointText(const v1::Endpoint& endpoint);

// "waiting", "idle", "pinned", ...
std::string ClientStateText(const v1::Client& client);

}  // namespace pgvalet::cli

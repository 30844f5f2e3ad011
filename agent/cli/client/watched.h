// What `pgvalet top` knows of the agent at a moment.
#pragma once

#include <memory>
#include <string>

#include "pgvalet/v1/control.pb.h"
#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::cli {

using SnapshotPtr = std::shared_ptr<const v1::Snapshot>;

// Every connection of the agent, at about one moment.
struct Connections {
  v1::ListClientsResponse clients;
  v1::ListServersResponse servers;
  std::string problem;  // why they are not known; empty: they are
};
using ConnectionsPtr = std::shared_ptr<const Connections>;

}  // namespace pgvalet::cli

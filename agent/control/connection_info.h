// What an administrator sees of one connection.
//
// Made by   the core that has the connection, when the door (control/door.h) asks it.
// Read by   console, gRPC and HTTP, on their own threads.
// Lifetime  plain values; the connection may be gone when they are read.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace pgvalet::control {

// One end of a socket.  addr is numeric; for a Unix socket "unix", and port is 0.
struct Endpoint {
  std::string addr;
  int port = 0;
};

// What clients and servers have in common.
struct ConnectionInfo {
  std::uint64_t id = 0;          // never given to another connection while the agent runs
  std::string database;          // as clients ask for it; for clients that are logging in empty
  std::string user;              // of a client who logged in, of a server connection who did there
  std::string application_name;  // in force now
  Endpoint peer;
  Endpoint local;
  Time connected_at{};
  Time request_at{};             // begin of the newest request
  std::uint32_t server_pid = 0;  // of the backend behind it, 0: none
  std::int64_t prepared_statements = 0;
  bool close_needed = false;    // it is closed at the next opportunity
  std::uint64_t address = 0;    // of the object in memory: PgBouncer's ptr
  std::uint64_t linked_to = 0;  // the address of the other side, 0: none
  std::uint64_t linked_id = 0;  // its id, 0: none
  std::int64_t unsent_bytes = 0;
};

enum class ClientState : std::uint8_t {
  kLogin,    // has not logged in yet
  kIdle,     // has no server connection, and asks for none
  kWaiting,  // stands in line for one
  kActive,   // has one
};

struct ClientInfo : ConnectionInfo {
  ClientState state = ClientState::kLogin;
  Duration waited{0};  // in line, so far
  bool is_pinned = false;
  Time pinned_since{};
};

enum class ServerState : std::uint8_t {
  kNew,       // connecting or logging in
  kIdle,      // free
  kUsed,      // free, and to be checked before it is used
  kActive,    // a client has it
  kTested,    // runs server_check_query or server_reset_query
  kCanceled,  // kept back until a cancel request for it is done
};

struct ServerInfo : ConnectionInfo {
  ServerState state = ServerState::kNew;
  bool has_extension = false;  // the backend reports its session
};

}  // namespace pgvalet::control

// ServerConnection: one connection of ours to PostgreSQL, with exactly one backend behind it.
//
// Owned by the pool on whose list it is; that list is its state, and Pool::Move() alone changes
// it.  Everything a relay must know about the backend is here, so that a connection can be handed
// from core to core and from client to client.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "control/connection_info.h"
#include "io/stream.h"
#include "pool/group.h"
#include "pool/reported_session.h"
#include "wire/exchange.h"
#include "wire/session_state.h"
#include "wire/statement.h"

namespace pgvalet::pool {

class Pool;

// Who has a lease.
class LeaseHolder {
 public:
  // About ten times a second while the lease lasts: a chance to look at timeouts.
  virtual void OnLeaseTick(Time now) = 0;
  // Fills in who it is: linked_to and linked_id.
  virtual void DescribeHolder(control::ServerInfo& server) const = 0;

 protected:
  ~LeaseHolder() = default;
};

enum class ServerState : std::uint8_t {
  kIdle,      // free to lease
  kLeased,    // a client has it
  kBusy,      // runs a query of ours: check or reset
  kHeldBack,  // clean, but a cancel request for it is still under way
  kClosing,   // goes away at the end of this turn
};

struct Errand;

struct ServerConnection final : boost::intrusive::list_base_hook<>, io::StreamHandler {
  explicit ServerConnection(wire::StateRef none);
  ~ServerConnection();

  std::uint64_t id = 0;  // never given to another connection of the process
  ServerState state = ServerState::kClosing;
  Pool* pool = nullptr;
  Quota quota;
  std::unique_ptr<io::Stream> stream;
  io::Address address;  // where it went, for cancel requests
  std::uint32_t backend_pid = 0;
  std::string cancel_secret;
  WelcomePtr welcome;

  // What the backend carries.
  wire::Exchange exchange;
  wire::ServerStatements statements;
  wire::StateRef carried;                     // beyond its own defaults
  std::unique_ptr<ReportedSession> reported;  // never null
  std::vector<std::string> stray_names;       // statements to close: they have a client's name

  // Partial message of the server, kept until the rest comes; empty nearly always.
  std::string partial;
  std::size_t answer_rest = 0;  // bytes still to come of a message whose head has been served
  bool answer_rest_swallowed = false;  // and they are not for the client

  std::unique_ptr<Errand> errand;  // the query of ours that runs on it, while kBusy

  LeaseHolder* holder = nullptr;
  std::uint64_t lease_id = 0;  // changes with every lease
  Time connected_at{};
  Time used_at{};         // released or checked last
  Time transaction_at{};  // first message of the transaction that is under way
  Time request_at{};      // first message of the exchange that is under way
  Time ready_at{};        // last ReadyForQuery
  bool checked = false;   // by server_check_query, since it was used
  int cancels = 0;        // cancel requests under way
  bool retire = false;    // close it instead of using it again

  // Nothing ties the client to this backend between two transactions.
  bool CanMove() const { return reported->CanMove(); }
  bool HasExtension() const { return reported->has_extension(); }

  // While nobody has a lease, the pool listens: a server that goes away is noticed at once.
  void OnReadable() override;
  void OnWritable() override {}
};

}  // namespace pgvalet::pool

// ClientSession: what an administrator sees of it.
#include "session/client_session.h"
#include "session/console_client.h"
#include "session/context.h"

namespace pgvalet::session {
namespace {

control::ClientState StateOf(ClientState state) {
  switch (state) {
    case ClientState::kIdle:
      return control::ClientState::kIdle;
    case ClientState::kWaiting:
      return control::ClientState::kWaiting;
    case ClientState::kActive:
      return control::ClientState::kActive;
    default:
      return control::ClientState::kLogin;
  }
}

control::Endpoint EndpointOf(const io::PeerAddress& address) {
  return {address.family == AF_UNIX ? "unix" : address.Numeric(), address.port};
}

}  // namespace

const std::string& ClientSession::database() const {
  static const std::string kNone;
  if (console_) return console_->caller().database;
  return pool_ != nullptr ? pool_->key().database : kNone;
}

const std::string& ClientSession::user() const {
  static const std::string kNone;
  if (console_) return console_->caller().user;
  if (login_user_) return *login_user_;
  return pool_ != nullptr ? pool_->key().user : kNone;
}

bool ClientSession::IsFlushed() const {
  return !stream_.blocked() && (!lease_ || !lease_->stream->blocked());
}

control::ClientInfo ClientSession::Describe(Time now) const {
  control::ClientInfo info;
  info.id = id_;
  info.state = StateOf(state_);
  info.database = database();
  info.user = user();
  if (console_) info.state = control::ClientState::kActive;
  if (wanted_ != nullptr) {
    if (const std::string* name = wanted_->Find("application_name")) info.application_name = *name;
  }
  info.peer = EndpointOf(peer_);
  info.local = EndpointOf(io::PeerAddress::From(io::LocalAddress(stream_.fd())));
  info.connected_at = connected_at_;
  info.request_at = state_since_;
  info.prepared_statements = static_cast<std::int64_t>(statements_.size());
  info.address = reinterpret_cast<std::uintptr_t>(this);
  info.unsent_bytes = static_cast<std::int64_t>(stream_.outbox_bytes());
  if (state_ == ClientState::kWaiting) info.waited = Since(pool::Waiter::wait_start, now);
  if (lease_) {
    info.request_at = lease_->request_at;
    info.server_pid = lease_->backend_pid;
    info.linked_to = reinterpret_cast<std::uintptr_t>(lease_.get());
    info.linked_id = lease_->id;
    info.is_pinned = pin_id_ != 0;
    info.pinned_since = pinned_since_;
  }
  return info;
}

void ClientSession::DescribeHolder(control::ServerInfo& server) const {
  server.linked_to = reinterpret_cast<std::uintptr_t>(this);
  server.linked_id = id_;
}

}  // namespace pgvalet::session

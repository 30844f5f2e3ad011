// What backends that live and sessions that have ended have in common, as messages.
#pragma once

#include "api/proto_time.h"
#include "api/snapshot_proto.h"

namespace pgvalet::api {

// Who it is, from where, since when, and what it has cost.  `Row` is stats::BackendRow or
// stats::EndedSession, and `Message` its message.
template <typename Row, typename Message>
void FillSession(const Row& row, Message& message) {
  message.set_pid(row.pid);
  message.set_database_name(row.database_name);
  message.set_role_name(row.role_name);
  message.set_application_name(row.application_name);
  message.set_client_addr(row.client_addr);
  message.set_client_port(row.client_port);
  message.set_connection_kind(row.connection_kind);
  message.set_agent_name(row.agent_name);
  SetTime(row.connected_at, message, &Message::mutable_connected_at);
  message.set_login_us(row.login_us);
  FillProto(row.costs, *message.mutable_costs());
}

}  // namespace pgvalet::api

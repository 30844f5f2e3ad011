#include "cli/views/client_tables.h"

#include <cstdint>

#include "cli/screen/format.h"

namespace pgvalet::cli {
namespace {

Style StyleOf(const v1::Client& client) {
  if (client.state() == v1::CLIENT_STATE_WAITING) return Style::kWarning;
  return client.state() == v1::CLIENT_STATE_ACTIVE ? Style::kGood : Style::kPlain;
}

std::string ServerStateText(v1::ServerState state) {
  switch (state) {
    case v1::SERVER_STATE_NEW:
      return "connecting";
    case v1::SERVER_STATE_IDLE:
      return "free";
    case v1::SERVER_STATE_USED:
      return "free, to be checked";
    case v1::SERVER_STATE_ACTIVE:
      return "in use";
    case v1::SERVER_STATE_TESTED:
      return "being checked";
    case v1::SERVER_STATE_CANCELED:
      return "kept for a cancel";
    default:
      return "unknown";
  }
}

std::string Number(std::uint64_t id) { return id == 0 ? "-" : std::to_string(id); }

RowSubject SubjectOf(const v1::Connection& connection) {
  return {.database = connection.database(),
          .user = connection.user(),
          .application_name = connection.application_name(),
          .server_pid = connection.server_pid()};
}

std::int64_t Microseconds(const google::protobuf::Duration& duration) {
  return duration.seconds() * 1000000 + duration.nanos() / 1000;
}

}  // namespace

std::string EndpointText(const v1::Endpoint& endpoint) {
  if (endpoint.addr() == "unix" || endpoint.addr().empty()) return endpoint.addr();
  const bool is_ipv6 = endpoint.addr().find(':') != std::string::npos;
  return (is_ipv6 ? "[" + endpoint.addr() + "]" : endpoint.addr()) + ":" +
         std::to_string(endpoint.port());
}

std::string ClientStateText(const v1::Client& client) {
  if (client.has_pinned_since()) return "pinned";
  switch (client.state()) {
    case v1::CLIENT_STATE_LOGIN:
      return "logging in";
    case v1::CLIENT_STATE_IDLE:
      return "idle";
    case v1::CLIENT_STATE_WAITING:
      return "waiting";
    case v1::CLIENT_STATE_ACTIVE:
      return "active";
    default:
      return "unknown";
  }
}

SortedTable ClientsTable(const v1::ListClientsResponse& clients,
                         const google::protobuf::Timestamp& now) {
  const Align right = Align::kRight;
  SortedTable table({{"ID", right},
                     {"DATABASE", Align::kLeft, 8},
                     {"USER", Align::kLeft, 8},
                     {"APPLICATION", Align::kLeft, 10},
                     {"CLIENT", Align::kLeft, 9},
                     {"STATE"},
                     {"WAITING", right},
                     {"LAST REQUEST", right},
                     {"BACKEND", right},
                     {"PINNED", right},
                     {"PREPARED", right},
                     {"UNSENT", right},
                     {"CONNECTED", right}},
                    {"id", "waiting", "last request", "pinned", "unsent", "connected"});
  for (const v1::Client& client : clients.clients()) {
    const v1::Connection& connection = client.connection();
    const std::int64_t waited = Microseconds(client.waited());
    const std::int64_t request = Between(connection.request_at(), now);
    const std::int64_t pinned = Between(client.pinned_since(), now);
    const std::int64_t age = Between(connection.connected_at(), now);
    table.Add(
        {Number(connection.id()),
         connection.database(),
         connection.user(),
         connection.application_name(),
         EndpointText(connection.peer()),
         {ClientStateText(client), StyleOf(client)},
         {waited > 0 ? Elapsed(waited) : "-", waited > 0 ? Style::kWarning : Style::kPlain},
         Elapsed(request),
         Number(connection.server_pid()),
         client.has_pinned_since() ? Elapsed(pinned) : "-",
         Count(connection.prepared_statements()),
         Size(static_cast<double>(connection.unsent_bytes())),
         Elapsed(age)},
        {static_cast<double>(waited), static_cast<double>(request), static_cast<double>(pinned),
         static_cast<double>(connection.unsent_bytes()), static_cast<double>(age)},
        SubjectOf(connection));
  }
  return table;
}

SortedTable ServersTable(const v1::ListServersResponse& servers,
                         const google::protobuf::Timestamp& now) {
  const Align right = Align::kRight;
  SortedTable table({{"ID", right},
                     {"DATABASE", Align::kLeft, 8},
                     {"USER", Align::kLeft, 8},
                     {"BACKEND", right},
                     {"SERVER", Align::kLeft, 9},
                     {"STATE"},
                     {"LAST REQUEST", right},
                     {"CLIENT", right},
                     {"APPLICATION", Align::kLeft, 10},
                     {"PREPARED", right},
                     {"UNSENT", right},
                     {"EXTENSION"},
                     {"CONNECTED", right}},
                    {"id", "last request", "prepared", "connected"});
  for (const v1::Server& server : servers.servers()) {
    const v1::Connection& connection = server.connection();
    const std::int64_t request = Between(connection.request_at(), now);
    const std::int64_t age = Between(connection.connected_at(), now);
    const std::string state =
        ServerStateText(server.state()) + (connection.close_needed() ? ", to be closed" : "");
    table.Add({Number(connection.id()),
               connection.database(),
               connection.user(),
               Number(connection.server_pid()),
               EndpointText(connection.peer()),
               {state, server.state() == v1::SERVER_STATE_ACTIVE ? Style::kGood : Style::kPlain},
               Elapsed(request),
               Number(connection.linked_id()),
               connection.application_name(),
               Count(connection.prepared_statements()),
               Size(static_cast<double>(connection.unsent_bytes())),
               server.has_extension() ? "yes" : "no",
               Elapsed(age)},
              {static_cast<double>(request), static_cast<double>(connection.prepared_statements()),
               static_cast<double>(age)});
  }
  return table;
}

}  // namespace pgvalet::cli

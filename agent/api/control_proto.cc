#include "api/control_proto.h"

#include <chrono>

#include "base/clean_text.h"
#include "config/table.h"

namespace pgvalet::api {
namespace {

constexpr const char* kMasked = "\"********\"";

// REQUIRES: there is such a moment; one that there is not stays absent.
void Fill(google::protobuf::Timestamp& message, Time at) {
  const auto wall = std::chrono::system_clock::now() - (Clock::now() - at);
  const auto us =
      std::chrono::duration_cast<std::chrono::microseconds>(wall.time_since_epoch()).count();
  message.set_seconds(us / 1'000'000);
  message.set_nanos(static_cast<std::int32_t>(us % 1'000'000) * 1000);
}

void Fill(v1::Endpoint& message, const control::Endpoint& endpoint) {
  message.set_addr(endpoint.addr);
  message.set_port(endpoint.port);
}

void Fill(v1::Connection& message, const control::ConnectionInfo& info) {
  message.set_id(info.id);
  message.set_database(CleanText(info.database));
  message.set_user(CleanText(info.user));
  message.set_application_name(CleanText(info.application_name));
  Fill(*message.mutable_peer(), info.peer);
  Fill(*message.mutable_local(), info.local);
  if (info.connected_at != Time{}) Fill(*message.mutable_connected_at(), info.connected_at);
  if (info.request_at != Time{}) Fill(*message.mutable_request_at(), info.request_at);
  message.set_server_pid(info.server_pid);
  message.set_prepared_statements(info.prepared_statements);
  message.set_close_needed(info.close_needed);
  message.set_linked_id(info.linked_id);
  message.set_unsent_bytes(info.unsent_bytes);
}

v1::ClientState StateOf(control::ClientState state) {
  switch (state) {
    case control::ClientState::kLogin:
      return v1::CLIENT_STATE_LOGIN;
    case control::ClientState::kIdle:
      return v1::CLIENT_STATE_IDLE;
    case control::ClientState::kWaiting:
      return v1::CLIENT_STATE_WAITING;
    case control::ClientState::kActive:
      return v1::CLIENT_STATE_ACTIVE;
  }
  return v1::CLIENT_STATE_UNSPECIFIED;
}

v1::ServerState StateOf(control::ServerState state) {
  switch (state) {
    case control::ServerState::kNew:
      return v1::SERVER_STATE_NEW;
    case control::ServerState::kIdle:
      return v1::SERVER_STATE_IDLE;
    case control::ServerState::kUsed:
      return v1::SERVER_STATE_USED;
    case control::ServerState::kActive:
      return v1::SERVER_STATE_ACTIVE;
    case control::ServerState::kTested:
      return v1::SERVER_STATE_TESTED;
    case control::ServerState::kCanceled:
      return v1::SERVER_STATE_CANCELED;
  }
  return v1::SERVER_STATE_UNSPECIFIED;
}

std::string TextOf(const config::Setting<config::Settings>& setting,
                   const config::Settings& settings) {
  const std::optional<config::Value> value = setting.get(settings);
  if (!value) return {};
  std::string text = config::ValueToml(setting.rule, *value);
  return setting.secret && text != "\"\"" ? kMasked : text;
}

}  // namespace

void Fill(v1::Client& message, const control::ClientInfo& client) {
  Fill(*message.mutable_connection(), client);
  message.set_state(StateOf(client.state));
  const std::int64_t waited_us = client.waited.count();
  message.mutable_waited()->set_seconds(waited_us / 1'000'000);
  message.mutable_waited()->set_nanos(static_cast<std::int32_t>(waited_us % 1'000'000) * 1000);
  if (client.is_pinned) Fill(*message.mutable_pinned_since(), client.pinned_since);
}

void Fill(v1::Server& message, const control::ServerInfo& server) {
  Fill(*message.mutable_connection(), server);
  message.set_state(StateOf(server.state));
  message.set_has_extension(server.has_extension);
}

void Fill(v1::ListSettingsResponse& message, const control::EffectiveSettings& effective) {
  for (const config::Setting<config::Settings>& setting : config::SettingsTable()) {
    v1::Setting& one = *message.add_settings();
    const auto source = effective.sources.find(setting.key);
    one.set_key(std::string(setting.key));
    one.set_value(TextOf(setting, *effective.settings));
    one.set_default_value(TextOf(setting, config::Settings{}));
    one.set_source(source == effective.sources.end() ? "default" : source->second);
    one.set_needs_restart(setting.needs_restart);
    one.set_meaning(std::string(setting.meaning));
  }
}

std::optional<control::Shutdown> ShutdownOf(v1::ShutdownMode mode) {
  switch (mode) {
    case v1::SHUTDOWN_MODE_IMMEDIATE:
      return control::Shutdown::kImmediate;
    case v1::SHUTDOWN_MODE_WAIT_FOR_SERVERS:
      return control::Shutdown::kWaitForServers;
    case v1::SHUTDOWN_MODE_WAIT_FOR_CLIENTS:
      return control::Shutdown::kWaitForClients;
    default:
      return std::nullopt;
  }
}

bool IsOf(const control::ConnectionInfo& info, const std::string& database,
          const std::string& user) {
  return (database.empty() || info.database == database) && (user.empty() || info.user == user);
}

}  // namespace pgvalet::api

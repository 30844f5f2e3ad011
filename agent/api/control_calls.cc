#include "api/control_calls.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/control_proto.h"
#include "api/grpc_status.h"
#include "base/clean_text.h"
#include "pgvalet/v1/control.pb.h"

namespace pgvalet::api {
namespace {

using Stop = std::stop_token;
using Outcome = Result<Done>;

// Calls that do something to one database, or to all of them, and have nothing to tell.
template <typename Request, typename Response>
void AddOfDatabase(Calls& calls, std::string_view name,
                   std::function<Outcome(const std::string& database, const Stop&)> act) {
  calls.Add<Request, Response>(
      name, TokenRole::kControl,
      [act = std::move(act)](const Request& request, Response& /*response*/, const Stop& stop) {
        return ToStatus(act(request.database(), stop));
      });
}

// The same, where all databases together would be too much.
template <typename Request, typename Response>
void AddOfOneDatabase(Calls& calls, std::string_view name,
                      std::function<Outcome(const std::string& database)> act) {
  calls.Add<Request, Response>(
      name, TokenRole::kControl,
      [act = std::move(act)](const Request& request, Response& /*response*/, const Stop&) {
        if (request.database().empty()) {
          return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "database is required");
        }
        return ToStatus(act(request.database()));
      });
}

void AddSwitches(Calls& calls, control::Door& door) {
  AddOfDatabase<v1::PauseRequest, v1::PauseResponse>(
      calls, "Control.Pause",
      [&door](const std::string& name, const Stop& stop) { return door.Pause(name, stop); });
  AddOfDatabase<v1::DrainRequest, v1::DrainResponse>(
      calls, "Control.Drain",
      [&door](const std::string& name, const Stop& stop) { return door.Drain(name, stop); });
  AddOfDatabase<v1::ResumeRequest, v1::ResumeResponse>(
      calls, "Control.Resume",
      [&door](const std::string& name, const Stop&) { return door.Resume(name); });
  AddOfDatabase<v1::ReconnectRequest, v1::ReconnectResponse>(
      calls, "Control.Reconnect",
      [&door](const std::string& name, const Stop&) { return door.Reconnect(name); });
  AddOfDatabase<v1::WaitCloseRequest, v1::WaitCloseResponse>(
      calls, "Control.WaitClose",
      [&door](const std::string& name, const Stop& stop) { return door.WaitClose(name, stop); });
  AddOfDatabase<v1::KillRequest, v1::KillResponse>(
      calls, "Control.Kill",
      [&door](const std::string& name, const Stop&) { return door.Kill(name); });
  AddOfOneDatabase<v1::DisableRequest, v1::DisableResponse>(
      calls, "Control.Disable", [&door](const std::string& name) { return door.Disable(name); });
  AddOfDatabase<v1::EnableRequest, v1::EnableResponse>(
      calls, "Control.Enable",
      [&door](const std::string& name, const Stop&) { return door.Enable(name); });
  calls.Add<v1::SuspendRequest, v1::SuspendResponse>(
      "Control.Suspend", TokenRole::kControl,
      [&door](const v1::SuspendRequest&, v1::SuspendResponse&, const Stop& stop) {
        return ToStatus(door.Suspend(stop));
      });
}

grpc::Status Resize(control::Door& door, const v1::ResizePoolRequest& request,
                    v1::ResizePoolResponse& response) {
  if (request.database().empty()) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "database is required"};
  }
  const Result<int> before =
      door.ResizePool(request.database(), request.user(), request.pool_size());
  if (!before) return ToStatus(before.error());
  response.set_previous_pool_size(*before);
  return grpc::Status::OK;
}

grpc::Status OfBackend(std::uint32_t pid, const std::function<Outcome()>& act) {
  if (pid == 0) return {grpc::StatusCode::INVALID_ARGUMENT, "pid is required"};
  return ToStatus(act());
}

void AddOfConnections(Calls& calls, control::Door& door) {
  calls.Add<v1::KillClientRequest, v1::KillClientResponse>(
      "Control.KillClient", TokenRole::kControl,
      [&door](const v1::KillClientRequest& request, v1::KillClientResponse&, const Stop&) {
        return ToStatus(door.KillClient(request.id()));
      });
  calls.Add<v1::CancelBackendRequest, v1::CancelBackendResponse>(
      "Control.CancelBackend", TokenRole::kControl,
      [&door](const v1::CancelBackendRequest& request, v1::CancelBackendResponse&,
              const Stop& stop) {
        return OfBackend(request.pid(), [&] { return door.CancelBackend(request.pid(), stop); });
      });
  calls.Add<v1::EndBackendRequest, v1::EndBackendResponse>(
      "Control.EndBackend", TokenRole::kControl,
      [&door](const v1::EndBackendRequest& request, v1::EndBackendResponse&, const Stop& stop) {
        return OfBackend(request.pid(), [&] { return door.EndBackend(request.pid(), stop); });
      });
}

grpc::Status ShutDown(control::Door& door, v1::ShutdownMode mode) {
  const std::optional<control::Shutdown> how = ShutdownOf(mode);
  if (!how) return {grpc::StatusCode::INVALID_ARGUMENT, "mode is required"};
  door.ShutDown(*how);
  return grpc::Status::OK;
}

void AddOfAgent(Calls& calls, control::Door& door) {
  calls.Add<v1::ReloadRequest, v1::ReloadResponse>(
      "Control.Reload", TokenRole::kControl,
      [&door](const v1::ReloadRequest&, v1::ReloadResponse&, const Stop&) {
        return ToStatus(door.Reload());
      });
  calls.Add<v1::SetSettingRequest, v1::SetSettingResponse>(
      "Control.SetSetting", TokenRole::kControl,
      [&door](const v1::SetSettingRequest& request, v1::SetSettingResponse&, const Stop&) {
        return ToStatus(door.Set(request.key(), request.value()));
      });
  calls.Add<v1::ResizePoolRequest, v1::ResizePoolResponse>(
      "Control.ResizePool", TokenRole::kControl,
      [&door](const v1::ResizePoolRequest& request, v1::ResizePoolResponse& response, const Stop&) {
        return Resize(door, request, response);
      });
  calls.Add<v1::ShutdownRequest, v1::ShutdownResponse>(
      "Control.Shutdown", TokenRole::kControl,
      [&door](const v1::ShutdownRequest& request, v1::ShutdownResponse&, const Stop&) {
        return ShutDown(door, request.mode());
      });
}

void FillDatabases(control::Door& door, v1::ListDatabasesResponse& response) {
  std::set<std::string> names;
  const control::EffectiveSettings effective = door.Settings();
  for (const auto& [name, database] : effective.settings->databases) {
    if (name != "*") names.insert(name);
  }
  if (const stats::SnapshotPtr snapshot = door.Snapshot()) {
    for (const stats::PoolSnapshot& pool : snapshot->pools) names.insert(pool.database);
  }
  const bool all_paused = door.IsPaused();
  for (const std::string& name : names) {
    const control::DatabaseSwitches switches = door.SwitchesOf(name);
    v1::Database& database = *response.add_databases();
    database.set_database(CleanText(name));
    database.set_paused(switches.paused || all_paused);
    database.set_disabled(switches.disabled);
  }
}

void AddLists(Calls& calls, control::Door& door) {
  calls.Add<v1::ListClientsRequest, v1::ListClientsResponse>(
      "Control.ListClients", TokenRole::kRead,
      [&door](const v1::ListClientsRequest& request, v1::ListClientsResponse& response,
              const Stop&) {
        const Result<std::vector<control::ClientInfo>> clients = door.ListClients();
        if (!clients) return ToStatus(clients.error());
        for (const control::ClientInfo& client : *clients) {
          if (!IsOf(client, request.database(), request.user())) continue;
          Fill(*response.add_clients(), client);
        }
        return grpc::Status::OK;
      });
  calls.Add<v1::ListServersRequest, v1::ListServersResponse>(
      "Control.ListServers", TokenRole::kRead,
      [&door](const v1::ListServersRequest& request, v1::ListServersResponse& response,
              const Stop&) {
        const Result<std::vector<control::ServerInfo>> servers = door.ListServers();
        if (!servers) return ToStatus(servers.error());
        for (const control::ServerInfo& server : *servers) {
          if (!IsOf(server, request.database(), request.user())) continue;
          Fill(*response.add_servers(), server);
        }
        return grpc::Status::OK;
      });
  calls.Add<v1::ListDatabasesRequest, v1::ListDatabasesResponse>(
      "Control.ListDatabases", TokenRole::kRead,
      [&door](const v1::ListDatabasesRequest&, v1::ListDatabasesResponse& response, const Stop&) {
        FillDatabases(door, response);
        return grpc::Status::OK;
      });
  calls.Add<v1::ListSettingsRequest, v1::ListSettingsResponse>(
      "Control.ListSettings", TokenRole::kRead,
      [&door](const v1::ListSettingsRequest&, v1::ListSettingsResponse& response, const Stop&) {
        Fill(response, door.Settings());
        return grpc::Status::OK;
      });
}

}  // namespace

void AddControlCalls(Calls& calls, control::Door& door) {
  AddSwitches(calls, door);
  AddOfConnections(calls, door);
  AddOfAgent(calls, door);
  AddLists(calls, door);
}

}  // namespace pgvalet::api

#include "api/control_service.h"

#include <utility>

#include "api/control_proto.h"
#include "api/grpc_status.h"

namespace pgvalet::api {
namespace {

// Calls at a time; a Pause may take one for minutes.
constexpr std::size_t kMaxCalls = 64;
constexpr std::string_view kBearer = "Bearer ";

// One call.  gRPC deletes it through OnDone(), when it is finished.
class Call final : public grpc::ServerUnaryReactor {
 public:
  void OnDone() override { delete this; }
  void OnCancel() override { stop_.request_stop(); }
  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
};

}  // namespace

ControlService::ControlService(control::Door& door, const Tokens& tokens)
    : door_(door), tokens_(tokens), threads_(kMaxCalls, 0) {}

void ControlService::Stop() {
  stopping_.request_stop();
  threads_.Finish();
}

grpc::Status ControlService::Authorize(const Context& context, TokenRole needed) const {
  if (!tokens_.required()) {
    return {grpc::StatusCode::PERMISSION_DENIED,
            "the agent has no token file (setting token_file), so nobody may do this"};
  }
  const auto& metadata = context.client_metadata();
  const auto header = metadata.find("authorization");
  const std::string_view value =
      header == metadata.end() ? std::string_view()
                               : std::string_view(header->second.data(), header->second.size());
  const TokenRole role =
      value.starts_with(kBearer) ? tokens_.Find(value.substr(kBearer.size())) : TokenRole::kNone;
  if (role == TokenRole::kNone) {
    return {grpc::StatusCode::UNAUTHENTICATED,
            "expected metadata \"authorization: Bearer <token>\" with a token of the agent's file"};
  }
  if (role < needed) {
    return {grpc::StatusCode::PERMISSION_DENIED, "this token may only read"};
  }
  return grpc::Status::OK;
}

ControlService::Reactor* ControlService::Run(Context* context, TokenRole needed, Work work) {
  auto* call = new Call;
  if (const grpc::Status allowed = Authorize(*context, needed); !allowed.ok()) {
    call->Finish(allowed);
    return call;
  }
  // The call outlives its work: it is deleted when it is finished, which the work does last.
  const bool is_taken = threads_.Run([this, call, work = std::move(work)] {
    std::stop_source either;
    const auto call_off = [&either] { either.request_stop(); };
    const std::stop_callback by_caller(call->token(), call_off);
    const std::stop_callback by_us(stopping_.get_token(), call_off);
    call->Finish(work(either.get_token()));
  });
  if (!is_taken) {
    call->Finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "the agent is busy with other calls"});
  }
  return call;
}

ControlService::Reactor* ControlService::Pause(Context* context, const v1::PauseRequest* request,
                                               v1::PauseResponse* /*response*/) {
  return Run(context, TokenRole::kControl,
             [this, database = request->database()](const std::stop_token& stop) {
               return ToStatus(door_.Pause(database, stop));
             });
}

ControlService::Reactor* ControlService::Resume(Context* context, const v1::ResumeRequest* request,
                                                v1::ResumeResponse* /*response*/) {
  return Run(context, TokenRole::kControl,
             [this, database = request->database()](const std::stop_token& /*stop*/) {
               return ToStatus(door_.Resume(database));
             });
}

ControlService::Reactor* ControlService::Disable(Context* context,
                                                 const v1::DisableRequest* request,
                                                 v1::DisableResponse* /*response*/) {
  return Run(context, TokenRole::kControl,
             [this, database = request->database()](const std::stop_token& /*stop*/) {
               if (database.empty()) {
                 return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "database is required");
               }
               return ToStatus(door_.Disable(database));
             });
}

ControlService::Reactor* ControlService::Enable(Context* context, const v1::EnableRequest* request,
                                                v1::EnableResponse* /*response*/) {
  return Run(context, TokenRole::kControl,
             [this, database = request->database()](const std::stop_token& /*stop*/) {
               if (database.empty()) {
                 return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "database is required");
               }
               return ToStatus(door_.Enable(database));
             });
}

ControlService::Reactor* ControlService::Reconnect(Context* context,
                                                   const v1::ReconnectRequest* request,
                                                   v1::ReconnectResponse* /*response*/) {
  return Run(context, TokenRole::kControl,
             [this, database = request->database()](const std::stop_token& /*stop*/) {
               return ToStatus(door_.Reconnect(database));
             });
}

ControlService::Reactor* ControlService::WaitClose(Context* context,
                                                   const v1::WaitCloseRequest* request,
                                                   v1::WaitCloseResponse* /*response*/) {
  return Run(context, TokenRole::kControl,
             [this, database = request->database()](const std::stop_token& stop) {
               return ToStatus(door_.WaitClose(database, stop));
             });
}

ControlService::Reactor* ControlService::Kill(Context* context, const v1::KillRequest* request,
                                              v1::KillResponse* /*response*/) {
  return Run(context, TokenRole::kControl,
             [this, database = request->database()](const std::stop_token& /*stop*/) {
               return ToStatus(door_.Kill(database));
             });
}

ControlService::Reactor* ControlService::KillClient(Context* context,
                                                    const v1::KillClientRequest* request,
                                                    v1::KillClientResponse* /*response*/) {
  return Run(context, TokenRole::kControl, [this, id = request->id()](const std::stop_token&) {
    return ToStatus(door_.KillClient(id));
  });
}

ControlService::Reactor* ControlService::CancelBackend(Context* context,
                                                       const v1::CancelBackendRequest* request,
                                                       v1::CancelBackendResponse* /*response*/) {
  return Run(context, TokenRole::kControl, [this, pid = request->pid()](const std::stop_token&) {
    return ToStatus(door_.CancelServer(pid));
  });
}

ControlService::Reactor* ControlService::Reload(Context* context,
                                                const v1::ReloadRequest* /*request*/,
                                                v1::ReloadResponse* /*response*/) {
  return Run(context, TokenRole::kControl,
             [this](const std::stop_token&) { return ToStatus(door_.Reload()); });
}

ControlService::Reactor* ControlService::SetSetting(Context* context,
                                                    const v1::SetSettingRequest* request,
                                                    v1::SetSettingResponse* /*response*/) {
  return Run(context, TokenRole::kControl,
             [this, key = request->key(), value = request->value()](const std::stop_token&) {
               return ToStatus(door_.Set(key, value));
             });
}

ControlService::Reactor* ControlService::Shutdown(Context* context,
                                                  const v1::ShutdownRequest* request,
                                                  v1::ShutdownResponse* /*response*/) {
  return Run(context, TokenRole::kControl, [this, mode = request->mode()](const std::stop_token&) {
    const std::optional<control::Shutdown> how = ShutdownOf(mode);
    if (!how) return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "mode is required");
    door_.ShutDown(*how);
    return grpc::Status::OK;
  });
}

ControlService::Reactor* ControlService::ListClients(Context* context,
                                                     const v1::ListClientsRequest* request,
                                                     v1::ListClientsResponse* response) {
  return Run(context, TokenRole::kRead, [this, request, response](const std::stop_token&) {
    Result<std::vector<control::ClientInfo>> clients = door_.ListClients();
    if (!clients) return ToStatus(clients.error());
    for (const control::ClientInfo& client : *clients) {
      if (IsOf(client, request->database(), request->user())) {
        Fill(*response->add_clients(), client);
      }
    }
    return grpc::Status::OK;
  });
}

ControlService::Reactor* ControlService::ListServers(Context* context,
                                                     const v1::ListServersRequest* request,
                                                     v1::ListServersResponse* response) {
  return Run(context, TokenRole::kRead, [this, request, response](const std::stop_token&) {
    Result<std::vector<control::ServerInfo>> servers = door_.ListServers();
    if (!servers) return ToStatus(servers.error());
    for (const control::ServerInfo& server : *servers) {
      if (IsOf(server, request->database(), request->user())) {
        Fill(*response->add_servers(), server);
      }
    }
    return grpc::Status::OK;
  });
}

ControlService::Reactor* ControlService::ListSettings(Context* context,
                                                      const v1::ListSettingsRequest* /*request*/,
                                                      v1::ListSettingsResponse* response) {
  return Run(context, TokenRole::kRead, [this, response](const std::stop_token&) {
    Fill(*response, door_.Settings());
    return grpc::Status::OK;
  });
}

}  // namespace pgvalet::api

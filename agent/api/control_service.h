// ControlService: pgvalet.v1.Control over gRPC; api/control_calls.h says what each call does.
#pragma once

#include <grpcpp/grpcpp.h>

#include "api/calls.h"
#include "api/tokens.h"
#include "api/unary_call.h"
#include "pgvalet/v1/control.grpc.pb.h"

namespace pgvalet::api {

class ControlService final : public v1::Control::CallbackService {
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

 public:
  // Both outlive the service; `calls` has a row for each method here.
  ControlService(Calls& calls, const Tokens& tokens) : calls_(calls), tokens_(tokens) {}

  Reactor* Pause(Context* context, const v1::PauseRequest* request,
                 v1::PauseResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* Suspend(Context* context, const v1::SuspendRequest* request,
                   v1::SuspendResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* Resume(Context* context, const v1::ResumeRequest* request,
                  v1::ResumeResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* Disable(Context* context, const v1::DisableRequest* request,
                   v1::DisableResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* Drain(Context* context, const v1::DrainRequest* request,
                 v1::DrainResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* Enable(Context* context, const v1::EnableRequest* request,
                  v1::EnableResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* Reconnect(Context* context, const v1::ReconnectRequest* request,
                     v1::ReconnectResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* WaitClose(Context* context, const v1::WaitCloseRequest* request,
                     v1::WaitCloseResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* Kill(Context* context, const v1::KillRequest* request,
                v1::KillResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* KillClient(Context* context, const v1::KillClientRequest* request,
                      v1::KillClientResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* CancelBackend(Context* context, const v1::CancelBackendRequest* request,
                         v1::CancelBackendResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* EndBackend(Context* context, const v1::EndBackendRequest* request,
                      v1::EndBackendResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* ResizePool(Context* context, const v1::ResizePoolRequest* request,
                      v1::ResizePoolResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* Reload(Context* context, const v1::ReloadRequest* request,
                  v1::ReloadResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* SetSetting(Context* context, const v1::SetSettingRequest* request,
                      v1::SetSettingResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* Shutdown(Context* context, const v1::ShutdownRequest* request,
                    v1::ShutdownResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* ListClients(Context* context, const v1::ListClientsRequest* request,
                       v1::ListClientsResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* ListServers(Context* context, const v1::ListServersRequest* request,
                       v1::ListServersResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* ListDatabases(Context* context, const v1::ListDatabasesRequest* request,
                         v1::ListDatabasesResponse* response) override {
    return Run(context, *request, *response);
  }
  Reactor* ListSettings(Context* context, const v1::ListSettingsRequest* request,
                        v1::ListSettingsResponse* response) override {
    return Run(context, *request, *response);
  }

 private:
  Reactor* Run(Context* context, const google::protobuf::Message& request,
               google::protobuf::Message& response) {
    return RunCall(calls_, tokens_, *context, request, response);
  }

  Calls& calls_;
  const Tokens& tokens_;
};

}  // namespace pgvalet::api

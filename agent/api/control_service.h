// ControlService: pgvalet.v1.Control over gRPC.
//
// Calls may wait for cores or for clients, so each runs on a thread of a few that are its own; a
// call that its caller gives up is called off.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <stop_token>

#include "api/tokens.h"
#include "base/worker_threads.h"
#include "control/door.h"
#include "pgvalet/v1/control.grpc.pb.h"

namespace pgvalet::api {

class ControlService final : public v1::Control::CallbackService {
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

 public:
  // Both outlive the service.
  ControlService(control::Door& door, const Tokens& tokens);
  // Calls off what waits; nothing runs afterwards.
  void Stop();

  Reactor* Pause(Context* context, const v1::PauseRequest* request,
                 v1::PauseResponse* response) override;
  Reactor* Resume(Context* context, const v1::ResumeRequest* request,
                  v1::ResumeResponse* response) override;
  Reactor* Disable(Context* context, const v1::DisableRequest* request,
                   v1::DisableResponse* response) override;
  Reactor* Enable(Context* context, const v1::EnableRequest* request,
                  v1::EnableResponse* response) override;
  Reactor* Reconnect(Context* context, const v1::ReconnectRequest* request,
                     v1::ReconnectResponse* response) override;
  Reactor* WaitClose(Context* context, const v1::WaitCloseRequest* request,
                     v1::WaitCloseResponse* response) override;
  Reactor* Kill(Context* context, const v1::KillRequest* request,
                v1::KillResponse* response) override;
  Reactor* KillClient(Context* context, const v1::KillClientRequest* request,
                      v1::KillClientResponse* response) override;
  Reactor* CancelBackend(Context* context, const v1::CancelBackendRequest* request,
                         v1::CancelBackendResponse* response) override;
  Reactor* Reload(Context* context, const v1::ReloadRequest* request,
                  v1::ReloadResponse* response) override;
  Reactor* SetSetting(Context* context, const v1::SetSettingRequest* request,
                      v1::SetSettingResponse* response) override;
  Reactor* Shutdown(Context* context, const v1::ShutdownRequest* request,
                    v1::ShutdownResponse* response) override;
  Reactor* ListClients(Context* context, const v1::ListClientsRequest* request,
                       v1::ListClientsResponse* response) override;
  Reactor* ListServers(Context* context, const v1::ListServersRequest* request,
                       v1::ListServersResponse* response) override;
  Reactor* ListSettings(Context* context, const v1::ListSettingsRequest* request,
                        v1::ListSettingsResponse* response) override;

 private:
  using Work = std::function<grpc::Status(const std::stop_token& stop)>;
  Reactor* Run(Context* context, TokenRole needed, Work work);
  grpc::Status Authorize(const grpc::CallbackServerContext& context, TokenRole needed) const;

  control::Door& door_;
  const Tokens& tokens_;
  std::stop_source stopping_;
  WorkerThreads threads_;
};

}  // namespace pgvalet::api

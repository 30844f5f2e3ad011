// ControlTest: an agent with tokens, and its gRPC services Control and Stats.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "pgvalet/v1/control.grpc.pb.h"
#include "pgvalet/v1/stats.grpc.pb.h"
#include "support/grpc_test.h"

namespace pgvalet::integration {

class ControlCallTest : public GrpcTest {
 protected:
  using Control = v1::Control::Stub;
  using Stats = v1::Stats::Stub;

  explicit ControlCallTest(AgentConfig config = {})
      : GrpcTest(std::move(config)),
        control(v1::Control::NewStub(Channel())),
        stats(v1::Stats::NewStub(Channel())) {}

  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (Control::*method)(grpc::ClientContext*, const Request&,
                                                    Response*),
                    const Request& request, Response& response,
                    const std::string& token = kController) {
    grpc::ClientContext context;
    Use(context, token);
    return (control.get()->*method)(&context, request, &response);
  }

  // Of calls whose answer says nothing.
  template <typename Request, typename Response>
  grpc::Status Do(grpc::Status (Control::*method)(grpc::ClientContext*, const Request&, Response*),
                  const Request& request, const std::string& token = kController) {
    Response response;
    return Call(method, request, response, token);
  }

  template <typename Request, typename Response>
  grpc::Status Ask(grpc::Status (Stats::*method)(grpc::ClientContext*, const Request&, Response*),
                   const Request& request, Response& response, const std::string& token = kReader) {
    grpc::ClientContext context;
    Use(context, token);
    return (stats.get()->*method)(&context, request, &response);
  }

  v1::Snapshot Snapshot() {
    v1::Snapshot snapshot;
    EXPECT_TRUE(Ask(&Stats::GetSnapshot, v1::GetSnapshotRequest(), snapshot).ok());
    return snapshot;
  }

  v1::ListClientsResponse Clients() {
    v1::ListClientsResponse response;
    EXPECT_TRUE(Call(&Control::ListClients, v1::ListClientsRequest(), response, kReader).ok());
    return response;
  }

  v1::ListServersResponse Servers() {
    v1::ListServersResponse response;
    EXPECT_TRUE(Call(&Control::ListServers, v1::ListServersRequest(), response, kReader).ok());
    return response;
  }

  std::unique_ptr<Control> control;
  std::unique_ptr<Stats> stats;
};

}  // namespace pgvalet::integration

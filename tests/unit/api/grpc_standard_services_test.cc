// The services that tools expect of every gRPC server: health and reflection.
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <future>
#include <string>

#include "grpc_server_fixture.h"

namespace pgvalet::api {
namespace {

using GrpcStandardServicesTest = GrpcServerTest;

// One unary call with bytes, for services whose stubs are not installed.
std::string CallRaw(const std::string& address, const std::string& method,
                    const std::string& request) {
  grpc::GenericStub stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  const grpc::Slice slice(request);
  const grpc::ByteBuffer message(&slice, 1);
  grpc::ByteBuffer answer;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, method, {}, &message, &answer,
                 [&](grpc::Status status) { done.set_value(std::move(status)); });
  const grpc::Status status = done.get_future().get();
  if (!status.ok()) return "error: " + status.error_message();
  grpc::Slice whole;
  if (!answer.DumpToSingleSlice(&whole).ok()) return "error: no answer";
  return {reinterpret_cast<const char*>(whole.begin()), whole.size()};
}

// HealthCheckRequest{service = 1} and HealthCheckResponse{status = 1}.
std::string Health(int port, const std::string& service) {
  std::string request;
  if (!service.empty())
    request = "\x0a" + std::string(1, static_cast<char>(service.size())) + service;
  return CallRaw("127.0.0.1:" + std::to_string(port), "/grpc.health.v1.Health/Check", request);
}

constexpr const char* kServing = "\x08\x01";
constexpr const char* kNotServing = "\x08\x02";

TEST_F(GrpcStandardServicesTest, HealthSaysThatTheServiceAndTheAgentServe) {
  StartServer();
  Publish();
  Stream stream(*stub);
  ASSERT_EQ(stream.Next(), 1);
  Publish();
  ASSERT_EQ(stream.Next(), 2);  // health is told before watchers are

  EXPECT_EQ(Health(server->port(), ""), kServing);
  EXPECT_EQ(Health(server->port(), "pgvalet.v1.Stats"), kServing);
}

TEST_F(GrpcStandardServicesTest, HealthOfTheAgentWaitsForTheFirstSnapshot) {
  StartServer();

  EXPECT_EQ(Health(server->port(), ""), kNotServing);
}

TEST_F(GrpcStandardServicesTest, HealthOfTheAgentEndsWhenItDrainsAndThatOfTheServiceGoesOn) {
  StartServer();
  Publish();
  Stream stream(*stub);
  ASSERT_EQ(stream.Next(), 1);
  const auto draining = ExampleSnapshot(++published);
  draining->agent.status.state = stats::AgentState::kDraining;
  hub.Publish(draining);
  ASSERT_EQ(stream.Next(), 2);

  EXPECT_EQ(Health(server->port(), ""), kNotServing);
  EXPECT_EQ(Health(server->port(), "pgvalet.v1.Stats"), kServing);
}

// Sends one ServerReflectionRequest and returns the answer's bytes.
std::string Reflect(const std::string& address, const std::string& request) {
  grpc::GenericStub stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto wait = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(
      &context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  call->StartCall(nullptr);
  EXPECT_TRUE(wait());
  const grpc::Slice slice(request);
  call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  EXPECT_TRUE(wait());
  grpc::ByteBuffer answer;
  call->Read(&answer, nullptr);
  EXPECT_TRUE(wait());
  call->WritesDone(nullptr);
  wait();
  grpc::Status status;
  call->Finish(&status, nullptr);
  EXPECT_TRUE(wait());
  grpc::Slice whole;
  EXPECT_TRUE(answer.DumpToSingleSlice(&whole).ok());
  return {reinterpret_cast<const char*>(whole.begin()), whole.size()};
}

TEST_F(GrpcStandardServicesTest, ReflectionListsTheServices) {
  StartServer();

  const std::string answer =
      Reflect("127.0.0.1:" + std::to_string(server->port()), "\x3a\x01*");  // list_services = 7

  EXPECT_NE(answer.find("pgvalet.v1.Stats"), std::string::npos);
  EXPECT_NE(answer.find("grpc.health.v1.Health"), std::string::npos);
}

TEST_F(GrpcStandardServicesTest, ReflectionDescribesTheMessages) {
  StartServer();

  const std::string answer = Reflect("127.0.0.1:" + std::to_string(server->port()),
                                     "\x22\x10pgvalet.v1.Stats");  // file_containing_symbol = 4

  EXPECT_NE(answer.find("longest_wait_us"), std::string::npos);
}

}  // namespace
}  // namespace pgvalet::api

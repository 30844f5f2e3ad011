// What nobody should send to gRPC: the agent says so and goes on.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "pgvalet/v1/control.grpc.pb.h"
#include "pgvalet/v1/events.grpc.pb.h"
#include "pgvalet/v1/query.grpc.pb.h"
#include "pgvalet/v1/stats.grpc.pb.h"
#include "support/connection.h"
#include "support/grpc_test.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

using grpc::StatusCode;

class GrpcBadInputTest : public GrpcTest {
 protected:
  GrpcBadInputTest() : GrpcTest(Quick()) {}

  static AgentConfig Quick() {
    AgentConfig config;
    config.Set("snapshot_interval", "0.1").Set("default_pool_size", "2");
    return config;
  }

  // Over a connection of its own, whatever became of the one that was tried.
  bool Answers() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const std::unique_ptr<v1::Control::Stub> control = v1::Control::NewStub(
        grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(), arguments));
    grpc::ClientContext context;
    Use(context, kReader);
    v1::ListDatabasesResponse response;
    return control->ListDatabases(&context, {}, &response).ok();
  }

  v1::Login Alice() const {
    v1::Login login;
    login.set_database("app");
    login.set_user("alice");
    return login;
  }

  // Sends bytes to gRPC's port and leaves without waiting for an answer.
  void Throw(const std::string& bytes) const {
    RawClient peer(std::stoi(address_.substr(address_.rfind(':') + 1)));
    peer.Send(bytes);
    peer.Drop();
  }
};

TEST_F(GrpcBadInputTest, BytesThatAreNoHttp2HarmNobody) {
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  for (const std::string& bytes :
       {std::string(), std::string("GET / HTTP/1.1\r\n\r\n"), std::string(70000, '\xff'), preface,
        preface + std::string(9, '\0'), preface + std::string("\xff\xff\xff\x01\x04\0\0\0\x01", 9),
        preface + std::string(100000, 'x')}) {
    Throw(bytes);
  }
  EXPECT_TRUE(Answers());
}

TEST_F(GrpcBadInputTest, ARequestThatIsTooLargeIsRefused) {
  const auto huge = [] { return std::string(20U << 20U, 'x'); };
  const std::unique_ptr<v1::Control::Stub> control = v1::Control::NewStub(Channel());
  {
    grpc::ClientContext context;
    Use(context, kController);
    v1::PauseRequest request;
    request.set_database(huge());
    v1::PauseResponse response;
    EXPECT_EQ(control->Pause(&context, request, &response).error_code(),
              StatusCode::RESOURCE_EXHAUSTED);
  }
  const std::unique_ptr<v1::Query::Stub> query = v1::Query::NewStub(Channel());
  grpc::ClientContext context;
  Use(context, kController);
  v1::ExecuteRequest request;
  *request.mutable_login() = Alice();
  request.mutable_statement()->set_sql("SELECT '" + huge() + "'");
  const auto reader = query->Execute(&context, request);
  v1::ExecuteResponse response;
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_EQ(reader->Finish().error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Answers());
}

TEST_F(GrpcBadInputTest, CallsThatAreNotThereAndBodiesThatAreNoneAreRefused) {
  grpc::GenericStub stub(Channel());
  const auto call = [&](const std::string& method, const std::string& body) {
    grpc::ClientContext context;
    Use(context, kController);
    grpc::CompletionQueue queue;
    const grpc::Slice slice(body);
    const auto reader =
        stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&slice, 1), &queue);
    reader->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    reader->Finish(&answer, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status.error_code();
  };
  EXPECT_EQ(call("/pgvalet.v1.Control/Explode", ""), StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(call("/pgvalet.v9.Control/Pause", ""), StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(call("nonsense", ""), StatusCode::UNIMPLEMENTED);
  // A field that says it is longer than the message.
  EXPECT_NE(call("/pgvalet.v1.Control/Disable", "\x0a\xff\xff\x7fx"), StatusCode::OK);
  // A field that we do not know is one of a newer caller.
  EXPECT_EQ(call("/pgvalet.v1.Control/ListDatabases", "\xa0\x1f\x01"), StatusCode::OK);
  EXPECT_TRUE(Answers());
}

TEST_F(GrpcBadInputTest, AHeaderThatIsTooLargeIsRefused) {
  const std::unique_ptr<v1::Control::Stub> control = v1::Control::NewStub(Channel());
  grpc::ClientContext context;
  Use(context, std::string(100000, 't'));
  v1::ListDatabasesResponse response;
  EXPECT_FALSE(control->ListDatabases(&context, {}, &response).ok());
  EXPECT_TRUE(Answers());
}

TEST_F(GrpcBadInputTest, StreamsThatAreCutHoldNothing) {
  // More than there are server connections, all in the midst of their rows.
  const auto stats = v1::Stats::NewStub(Channel());
  const auto query = v1::Query::NewStub(Channel());
  for (int round = 0; round < 6; ++round) {
    grpc::ClientContext watching, asking;
    Use(watching, kReader);
    Use(asking, kController);
    const auto watcher = stats->WatchSnapshots(&watching, {});
    v1::Snapshot snapshot;
    EXPECT_TRUE(watcher->Read(&snapshot));
    v1::ExecuteRequest request;
    *request.mutable_login() = Alice();
    request.mutable_statement()->set_sql("SELECT generate_series(1, 100000000)");
    const auto rows = query->Execute(&asking, request);
    v1::ExecuteResponse response;
    EXPECT_TRUE(rows->Read(&response));
    watching.TryCancel();
    asking.TryCancel();
    watcher->Finish();
    rows->Finish();
  }
  Connection client(agent->To());
  EXPECT_EQ(client.Value("SELECT 7"), "7");
  EXPECT_TRUE(Answers());
}

}  // namespace
}  // namespace pgvalet::integration

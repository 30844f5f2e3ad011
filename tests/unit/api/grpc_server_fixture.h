// A gRPC server on a free port of loopback, and clients of it.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "api/grpc_server.h"
#include "example_snapshot.h"
#include "pgvalet/v1/stats.grpc.pb.h"

namespace pgvalet::api {

inline std::unique_ptr<v1::Stats::Stub> Connect(const std::string& address) {
  // A channel of its own each time, not one shared behind the scenes.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return v1::Stats::NewStub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
}

// A watcher that reads when told to.
struct Stream {
  Stream(v1::Stats::Stub& stub, std::int64_t interval_seconds = 0, std::int32_t nanos = 0) {
    v1::WatchSnapshotsRequest request;
    request.mutable_interval()->set_seconds(interval_seconds);
    request.mutable_interval()->set_nanos(nanos);
    reader = stub.WatchSnapshots(&context, request);
  }

  // Sequence of the next snapshot; 0: the stream has ended.
  std::int64_t Next() {
    v1::Snapshot snapshot;
    return reader->Read(&snapshot) ? snapshot.sequence() : 0;
  }

  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<v1::Snapshot>> reader;
};

struct GrpcServerTest : testing::Test {
  stats::SnapshotHub hub;
  std::unique_ptr<GrpcServer> server;
  std::unique_ptr<v1::Stats::Stub> stub;
  std::uint64_t published = 0;

  void StartServer(GrpcServerOptions options = {}) {
    if (options.listen.empty()) options.listen = "127.0.0.1:0";
    server = std::make_unique<GrpcServer>(hub, options);
    const Result<Done> started = server->Start();
    ASSERT_TRUE(started) << started.error().ToString();
    stub = Connect("127.0.0.1:" + std::to_string(server->port()));
  }

  void Publish() { hub.Publish(ExampleSnapshot(++published)); }
};

}  // namespace pgvalet::api

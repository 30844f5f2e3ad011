// The gRPC server as clients see it, over loopback.
#include "api/grpc_server.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "example_snapshot.h"
#include "grpc_server_fixture.h"

namespace pgvalet::api {
namespace {

using grpc::StatusCode;

TEST_F(GrpcServerTest, GetSnapshotAnswersWithTheNewest) {
  StartServer();
  Publish();
  Publish();
  grpc::ClientContext context;
  v1::Snapshot snapshot;

  const grpc::Status status = stub->GetSnapshot(&context, {}, &snapshot);

  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(snapshot.sequence(), 2);
  EXPECT_EQ(snapshot.pools_size(), 2);
}

TEST_F(GrpcServerTest, GetSnapshotBeforeTheFirstSaysThatThereIsNone) {
  StartServer();
  grpc::ClientContext context;
  v1::Snapshot snapshot;

  const grpc::Status status = stub->GetSnapshot(&context, {}, &snapshot);

  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "the agent has not made a snapshot yet");
}

TEST_F(GrpcServerTest, AWatcherGetsTheNewestAtOnceAndThenEachInOrder) {
  StartServer();
  Publish();
  Publish();
  Stream stream(*stub);

  EXPECT_EQ(stream.Next(), 2);
  for (std::int64_t i = 3; i <= 20; ++i) {
    Publish();
    ASSERT_EQ(stream.Next(), i);
  }
}

TEST_F(GrpcServerTest, AWatcherThatComesBeforeTheFirstSnapshotWaitsForIt) {
  StartServer();
  Stream stream(*stub);
  while (server->watchers() == 0) std::this_thread::yield();

  Publish();

  EXPECT_EQ(stream.Next(), 1);
}

TEST_F(GrpcServerTest, AnIntervalOfThreeSnapshotsGivesEveryThird) {
  StartServer();
  Publish();
  Stream every(*stub);
  Stream third(*stub, 2, 600'000'000);  // rounds to 3 of 1 s
  ASSERT_EQ(every.Next(), 1);
  EXPECT_EQ(third.Next(), 1);

  for (std::int64_t i = 2; i <= 7; ++i) {
    Publish();
    ASSERT_EQ(every.Next(), i);  // the server has seen this one before the next comes
  }

  EXPECT_EQ(third.Next(), 4);
  EXPECT_EQ(third.Next(), 7);
}

TEST_F(GrpcServerTest, AnIntervalShorterThanTheAgentsGivesEverySnapshot) {
  StartServer();
  Publish();
  Stream stream(*stub, 0, 1);
  EXPECT_EQ(stream.Next(), 1);

  Publish();

  EXPECT_EQ(stream.Next(), 2);
}

TEST_F(GrpcServerTest, RefusesAnIntervalThatMakesNoSense) {
  StartServer();
  Publish();
  const struct {
    std::int64_t seconds;
    std::int32_t nanos;
    const char* message;
  } cases[] = {{-1, 0, "interval is negative"},
               {0, -1, "interval is negative"},
               {0, 1'000'000'000, "interval is malformed: nanos must be below 1000000000"},
               {86'401, 0, "interval is above one day"}};
  for (const auto& c : cases) {
    Stream stream(*stub, c.seconds, c.nanos);

    EXPECT_EQ(stream.Next(), 0);
    const grpc::Status status = stream.reader->Finish();
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(status.error_message(), c.message);
  }
}

// A snapshot too large for what gRPC and the kernel take in for a client that does not read.
stats::SnapshotPtr LargeSnapshot(std::uint64_t sequence) {
  const auto snapshot = ExampleSnapshot(sequence);
  snapshot->pools[0].database.assign(1 << 20, 'x');
  return snapshot;
}

TEST_F(GrpcServerTest, AWatcherThatDoesNotReadIsDroppedAndToldWhyAndOthersGoOn) {
  StartServer();
  hub.Publish(LargeSnapshot(++published));
  Stream reads(*stub);
  ASSERT_EQ(reads.Next(), 1);
  const auto other_stub = Connect("127.0.0.1:" + std::to_string(server->port()));
  Stream stuck(*other_stub);
  while (server->watchers() < 2) std::this_thread::yield();

  while (server->watchers() == 2 && published < 10'000) {
    hub.Publish(LargeSnapshot(++published));
    ASSERT_EQ(reads.Next(), static_cast<std::int64_t>(published));
  }

  while (stuck.Next() != 0) {
  }
  const grpc::Status status = stuck.reader->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_NE(status.error_message().find("more than 8 snapshots behind"), std::string::npos)
      << status.error_message();
  Publish();
  EXPECT_EQ(reads.Next(), static_cast<std::int64_t>(published));
}

TEST_F(GrpcServerTest, StopEndsStreamsAsUnavailable) {
  StartServer();
  Publish();
  Stream stream(*stub);
  ASSERT_EQ(stream.Next(), 1);

  server->Stop();

  EXPECT_EQ(stream.Next(), 0);
  const grpc::Status status = stream.reader->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "the agent is stopping");
}

TEST_F(GrpcServerTest, StopDoesNotWaitForAWatcherThatDoesNotRead) {
  StartServer({.listen = "", .max_watchers = 10, .max_lag = 1'000'000});
  hub.Publish(LargeSnapshot(++published));
  Stream reads(*stub);
  ASSERT_EQ(reads.Next(), 1);
  const auto other_stub = Connect("127.0.0.1:" + std::to_string(server->port()));
  Stream stuck(*other_stub);
  while (server->watchers() < 2) std::this_thread::yield();
  for (int i = 0; i < 64; ++i) {
    hub.Publish(LargeSnapshot(++published));
    ASSERT_EQ(reads.Next(), static_cast<std::int64_t>(published));
  }

  server->Stop();

  EXPECT_EQ(server->watchers(), 0U);
}

TEST_F(GrpcServerTest, AWatcherThatGoesAwayIsForgotten) {
  StartServer();
  Publish();
  {
    Stream stream(*stub);
    ASSERT_EQ(stream.Next(), 1);
    stream.context.TryCancel();
    EXPECT_EQ(stream.reader->Finish().error_code(), StatusCode::CANCELLED);
  }

  while (server->watchers() > 0) std::this_thread::yield();
}

TEST_F(GrpcServerTest, RefusesMoreWatchersThanItsLimit) {
  StartServer({.listen = "", .max_watchers = 1});
  Publish();
  Stream first(*stub);
  ASSERT_EQ(first.Next(), 1);

  Stream second(*stub);

  EXPECT_EQ(second.Next(), 0);
  const grpc::Status status = second.reader->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "too many watchers: this agent serves at most 1 at a time");
}

// Counts what many watchers got.
class Crowd {
 public:
  class Member final : public grpc::ClientReadReactor<v1::Snapshot> {
   public:
    Member(Crowd& crowd, v1::Stats::Stub& stub) : crowd_(crowd) {
      stub.async()->WatchSnapshots(&context_, &request_, this);
      StartRead(&snapshot_);
      StartCall();
    }

    void OnReadDone(bool ok) override {
      if (!ok) return;
      crowd_.Add();
      StartRead(&snapshot_);
    }

    void OnDone(const grpc::Status& /*status*/) override { crowd_.Add(); }

   private:
    Crowd& crowd_;
    grpc::ClientContext context_;
    v1::WatchSnapshotsRequest request_;
    v1::Snapshot snapshot_;
  };

  void Add() {
    const std::lock_guard lock(mutex_);
    ++events_;
    changed_.notify_all();
  }

  void WaitFor(std::size_t events) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return events_ >= events; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t events_ = 0;
};

TEST_F(GrpcServerTest, AThousandWatchersCostOneSerializationOfEachSnapshot) {
  constexpr std::size_t kWatchers = 1000;
  StartServer();
  Publish();
  Crowd crowd;
  std::vector<std::unique_ptr<Crowd::Member>> members;
  for (std::size_t i = 0; i < kWatchers; ++i) {
    members.push_back(std::make_unique<Crowd::Member>(crowd, *stub));
  }
  crowd.WaitFor(kWatchers);

  for (std::size_t round = 2; round <= 5; ++round) {
    Publish();
    crowd.WaitFor(round * kWatchers);
  }

  EXPECT_EQ(server->serializations(), 5U);
  server->Stop();
  crowd.WaitFor(6 * kWatchers);  // all have ended
}

TEST_F(GrpcServerTest, NobodyWatchingCostsNoSerialization) {
  StartServer();
  Publish();
  Stream stream(*stub);
  ASSERT_EQ(stream.Next(), 1);
  stream.context.TryCancel();
  while (server->watchers() > 0) std::this_thread::yield();

  for (int i = 0; i < 10; ++i) Publish();
  server->Stop();

  EXPECT_EQ(server->serializations(), 1U);
}

TEST_F(GrpcServerTest, IsOffWithoutAnAddress) {
  GrpcServer off(hub, {});

  EXPECT_TRUE(off.Start());
  EXPECT_EQ(off.port(), 0);
  off.Stop();
}

TEST_F(GrpcServerTest, SaysThatAnAddressIsTakenInsteadOfSharingIt) {
  StartServer();
  const std::string address = "127.0.0.1:" + std::to_string(server->port());
  GrpcServer second(hub, {.listen = address});

  const Result<Done> started = second.Start();

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kIo);
  EXPECT_EQ(started.error().detail, address);
}

TEST_F(GrpcServerTest, RefusesAnAddressThatIsNone) {
  GrpcServer wrong(hub, {.listen = "6544"});

  const Result<Done> started = wrong.Start();

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kInvalidSetting);
}

TEST_F(GrpcServerTest, ServesOnAUnixSocket) {
  const std::string path = testing::TempDir() + "pgvalet-grpc-" + std::to_string(::getpid());
  GrpcServer on_socket(hub, {.listen = "unix:" + path});
  ASSERT_TRUE(on_socket.Start());
  Publish();
  grpc::ClientContext context;
  v1::Snapshot snapshot;

  EXPECT_TRUE(Connect("unix:" + path)->GetSnapshot(&context, {}, &snapshot).ok());

  EXPECT_EQ(on_socket.port(), 0);
}

bool HasIpv6() {
  const int sock = ::socket(AF_INET6, SOCK_STREAM, 0);
  if (sock < 0) return false;
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  const bool bound = ::bind(sock, reinterpret_cast<sockaddr*>(&loopback), sizeof(loopback)) == 0;
  ::close(sock);
  return bound;
}

TEST_F(GrpcServerTest, ServesOnIpv6) {
  if (!HasIpv6()) GTEST_SKIP() << "this machine has no IPv6";
  GrpcServer on_ipv6(hub, {.listen = "[::1]:0"});
  ASSERT_TRUE(on_ipv6.Start());
  Publish();
  grpc::ClientContext context;
  v1::Snapshot snapshot;

  const auto ipv6_stub = Connect("[::1]:" + std::to_string(on_ipv6.port()));

  EXPECT_TRUE(ipv6_stub->GetSnapshot(&context, {}, &snapshot).ok());
}

}  // namespace
}  // namespace pgvalet::api

// The HTTP server as Prometheus, probes and hostile peers see it, over loopback.
#include "api/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "example_snapshot.h"
#include "prometheus_page.h"

namespace pgvalet::api {
namespace {

struct HttpServerTest : testing::Test {
  stats::SnapshotHub hub;
  std::unique_ptr<HttpServer> server;

  void StartServer(HttpServerOptions options = {}) {
    if (options.listen.empty()) options.listen = "127.0.0.1:0";
    server = std::make_unique<HttpServer>(hub, options);
    const Result<Done> started = server->Start();
    ASSERT_TRUE(started) << started.error().ToString();
  }

  httplib::Result Get(const char* path) const {
    return httplib::Client("127.0.0.1", server->port()).Get(path);
  }

  // What /readyz says while the agent is as told.
  std::string Ready(stats::AgentState state, bool listening) {
    const auto snapshot = ExampleSnapshot(hub.Latest() ? hub.Latest()->sequence + 1 : 1);
    snapshot->agent.status.state = state;
    snapshot->agent.status.listening = listening;
    hub.Publish(snapshot);
    const httplib::Result answer = Get("/readyz");
    return std::to_string(answer->status) + " " + answer->body;
  }
};

// A peer that does as it likes.
class RawPeer {
 public:
  explicit RawPeer(int port) : sock_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        ::connect(sock_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { ::close(sock_); }

  bool connected() const { return connected_; }

  // False once the server has closed.
  bool Send(const std::string& bytes) const {
    return ::send(sock_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }

  // The server has closed, and has not sent anything before.
  bool IsClosed() const {
    char byte;
    return ::recv(sock_, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
  }

  // All until the server closes.
  std::string ReceiveAll() const {
    std::string all;
    char part[4096];
    for (ssize_t n; (n = ::recv(sock_, part, sizeof(part), 0)) > 0;) {
      all.append(part, static_cast<std::size_t>(n));
    }
    return all;
  }

 private:
  int sock_;
  bool connected_;
};

TEST_F(HttpServerTest, MetricsIsAPageForPrometheus) {
  StartServer();
  hub.Publish(ExampleSnapshot());

  const httplib::Result answer = Get("/metrics");

  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  std::map<std::string, PageFamily> families;
  EXPECT_EQ(ReadPage(answer->body, families), "");
  EXPECT_TRUE(families.contains("pgvalet_pool_query_seconds"));
}

TEST_F(HttpServerTest, MetricsFollowsTheNewestSnapshot) {
  StartServer();
  hub.Publish(ExampleSnapshot(1));
  EXPECT_NE(Get("/metrics")->body.find("pgvalet_snapshots_total 1\n"), std::string::npos);

  hub.Publish(ExampleSnapshot(2));

  EXPECT_NE(Get("/metrics")->body.find("pgvalet_snapshots_total 2\n"), std::string::npos);
}

TEST_F(HttpServerTest, MetricsBeforeTheFirstSnapshotIsUnavailable) {
  StartServer();

  EXPECT_EQ(Get("/metrics")->status, 503);
}

TEST_F(HttpServerTest, HealthzAnswersWhateverTheAgentDoes) {
  StartServer();

  EXPECT_EQ(Get("/healthz")->status, 200);
  EXPECT_EQ(Get("/healthz")->body, "ok\n");
}

TEST_F(HttpServerTest, ReadyzFollowsTheStateOfTheAgent) {
  StartServer();

  EXPECT_EQ(Get("/readyz")->body, "not ready: the agent has not made a snapshot yet\n");
  EXPECT_EQ(Ready(stats::AgentState::kStarting, false), "503 not ready: the agent is starting\n");
  EXPECT_EQ(Ready(stats::AgentState::kRunning, true), "200 ready\n");
  EXPECT_EQ(Ready(stats::AgentState::kRunning, false),
            "503 not ready: no client socket accepts connections\n");
  EXPECT_EQ(Ready(stats::AgentState::kDraining, true), "503 not ready: the agent is draining\n");
}

TEST_F(HttpServerTest, WhatIsNotThereIsNotFound) {
  StartServer();

  EXPECT_EQ(Get("/etc/passwd")->status, 404);
  EXPECT_EQ(Get("/metrics/")->status, 404);
}

TEST_F(HttpServerTest, APeerThatSendsNothingDoesNotStopOthers) {
  StartServer({.listen = "", .max_connections = 8});
  hub.Publish(ExampleSnapshot());
  std::vector<std::unique_ptr<RawPeer>> stuck;
  for (int i = 0; i < 7; ++i) {
    stuck.push_back(std::make_unique<RawPeer>(server->port()));
    ASSERT_TRUE(stuck.back()->Send("GET /metrics HTTP/1.1\r\n"));
  }

  EXPECT_EQ(Get("/metrics")->status, 200);
}

TEST_F(HttpServerTest, APeerThatNeverFinishesItsRequestIsCutOff) {
  StartServer({.listen = "", .connection_time = std::chrono::milliseconds(50)});
  const RawPeer peer(server->port());

  // Each line is a sign of life; only a deadline for the whole ends this.
  while (peer.Send("X-More: yes\r\n")) std::this_thread::yield();

  SUCCEED();
}

TEST_F(HttpServerTest, StuckPeersGiveTheirThreadsBack) {
  StartServer(
      {.listen = "", .max_connections = 2, .connection_time = std::chrono::milliseconds(50)});
  const RawPeer first(server->port());
  const RawPeer second(server->port());
  const RawPeer third(server->port());

  EXPECT_EQ(Get("/healthz")->status, 200);
}

TEST_F(HttpServerTest, ARequestWithoutEndIsRefusedHoweverFastItComes) {
  StartServer();
  const RawPeer peer(server->port());
  ASSERT_TRUE(peer.Send("GET / HTTP/1.1\r\n"));

  const std::string line = "X-Padding: " + std::string(1000, 'x') + "\r\n";
  int lines = 0;
  while (lines < 100'000 && peer.Send(line)) ++lines;

  EXPECT_LT(lines, 100'000);
}

TEST_F(HttpServerTest, ConnectionsBeyondItsThreadsAndQueueAreClosed) {
  StartServer({.listen = "", .max_connections = 1});
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 100; ++i) peers.push_back(std::make_unique<RawPeer>(server->port()));

  // Which ones depends on when the thread begins; one is served, and at most 65 may wait.
  const auto closed = [&] {
    return std::count_if(peers.begin(), peers.end(), [](const auto& p) { return p->IsClosed(); });
  };
  while (closed() < 34) std::this_thread::yield();
}

TEST_F(HttpServerTest, StopDoesNotWaitForStuckPeers) {
  StartServer({.listen = "", .connection_time = std::chrono::hours(1)});
  const RawPeer peer(server->port());
  ASSERT_TRUE(peer.Send("GET / HTTP/1.1\r\n"));

  server->Stop();

  EXPECT_EQ(peer.ReceiveAll(), "");
}

TEST_F(HttpServerTest, IsOffWithoutAnAddress) {
  HttpServer off(hub, {});

  EXPECT_TRUE(off.Start());
  EXPECT_EQ(off.port(), 0);
  off.Stop();
}

TEST_F(HttpServerTest, StopsRightAfterItsStart) {
  for (int i = 0; i < 20; ++i) {
    StartServer();
    server->Stop();
  }
}

TEST_F(HttpServerTest, SaysThatAnAddressIsTakenInsteadOfSharingIt) {
  StartServer();
  const std::string address = "127.0.0.1:" + std::to_string(server->port());
  HttpServer second(hub, {.listen = address});

  const Result<Done> started = second.Start();

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kIo);
  EXPECT_EQ(started.error().os_errno, EADDRINUSE);
  EXPECT_EQ(started.error().detail, address);
}

TEST_F(HttpServerTest, RefusesAnAddressThatIsNone) {
  HttpServer wrong(hub, {.listen = "nowhere"});

  ASSERT_FALSE(wrong.Start());
}

TEST_F(HttpServerTest, ServesOnAllAddresses) {
  StartServer({.listen = "*:0"});

  EXPECT_EQ(Get("/healthz")->status, 200);
}

TEST_F(HttpServerTest, ServesOnAUnixSocketEvenWhenAnOldOneLiesThere) {
  const std::string path = testing::TempDir() + "pgvalet-http-" + std::to_string(::getpid());
  for (int i = 0; i < 2; ++i) {  // the second time the first one's file is still there
    StartServer({.listen = "unix:" + path});
    httplib::Client client(path);
    client.set_address_family(AF_UNIX);
    EXPECT_EQ(client.Get("/healthz")->status, 200);
    server->Stop();
  }
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace pgvalet::api

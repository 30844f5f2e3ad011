// Calls of the proto over HTTP: who may, what is said about mistakes, and when a call is called
// off.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <string>

#include "api/calls.h"
#include "api/http_server.h"
#include "api/pool_calls.h"
#include "api/stats_calls.h"
#include "api/tokens.h"
#include "example_snapshot.h"
#include "pgvalet/v1/control.pb.h"
#include "pgvalet/v1/events.pb.h"

namespace pgvalet::api {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kReader = "reader-token-0123456789";
constexpr const char* kController = "controller-token-0123456789";

// Calls as the daemon makes them, over a door that the tests see through.
class HttpCallsTest : public testing::Test {
 protected:
  HttpCallsTest() {
    AddStatsCalls(calls, hub, history);
    calls.Add<v1::PauseRequest, v1::PauseResponse>(
        "Control.Pause", TokenRole::kControl,
        [this](const v1::PauseRequest& request, v1::PauseResponse&, const std::stop_token& stop) {
          return Pause(request.database(), stop);
        });
    calls.Add<v1::ListClientsRequest, v1::ListClientsResponse>(
        "Control.ListClients", TokenRole::kRead,
        [](const v1::ListClientsRequest& request, v1::ListClientsResponse& response,
           const std::stop_token&) {
          v1::Connection& one = *response.add_clients()->mutable_connection();
          one.set_database(request.database());
          one.set_application_name("quote \" tag </script> end");
          one.set_id(9007199254740993);
          return grpc::Status::OK;
        });
  }
  ~HttpCallsTest() override {
    server.reset();
    ::unlink(token_file.c_str());
  }

  // Waits for the stop when the database is called so.
  grpc::Status Pause(const std::string& database, const std::stop_token& stop) {
    if (database != "waits") return {grpc::StatusCode::NOT_FOUND, "no such database: " + database};
    std::unique_lock lock(mutex);
    waiting = true;
    changed.notify_all();
    changed.wait(lock, stop, [] { return false; });
    called_off = true;
    changed.notify_all();
    return {grpc::StatusCode::CANCELLED, "called off"};
  }
  void Await(const bool& what) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return what; });
  }

  void Start(bool with_tokens, const std::string& listen = "127.0.0.1:0") {
    if (with_tokens) {
      std::ofstream(token_file) << "read " << kReader << "\ncontrol " << kController << "\n";
      ::chmod(token_file.c_str(), 0600);
      ASSERT_TRUE(tokens.Load(token_file));
    }
    server = std::make_unique<HttpServer>(
        hub, HttpServerOptions{.listen = listen, .tokens = &tokens, .calls = &calls});
    ASSERT_TRUE(server->Start());
  }

  static httplib::Headers Bearer(const std::string& token) {
    return {{"Authorization", "Bearer " + token}};
  }
  httplib::Client Client() const { return httplib::Client("127.0.0.1", server->port()); }
  httplib::Result Get(const std::string& path, const httplib::Headers& headers = {}) const {
    return Client().Get(path, headers);
  }
  httplib::Result Post(const std::string& path, const std::string& body,
                       const httplib::Headers& headers = Bearer(kController)) const {
    return Client().Post(path, headers, body, "application/json");
  }

  const std::string token_file = testing::TempDir() + "pgvalet-http-" + std::to_string(::getpid());
  stats::SnapshotHub hub;
  stats::History history;
  Calls calls;
  Tokens tokens;
  std::mutex mutex;  // protects all below
  std::condition_variable_any changed;
  bool waiting = false;
  bool called_off = false;
  std::unique_ptr<HttpServer> server;
};

constexpr const char* kClients = "/api/v1/control/clients";
constexpr const char* kPause = "/api/v1/control/pause";

TEST_F(HttpCallsTest, SnapshotIsTheProtoAsJsonWithItsOwnNames) {
  Start(false);
  EXPECT_EQ(Get("/api/v1/stats/snapshot")->status, 503);
  hub.Publish(ExampleSnapshot(7));

  const httplib::Result answer = Get("/api/v1/stats/snapshot");

  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(answer->get_header_value("Cache-Control"), "no-store");
  EXPECT_EQ(answer->get_header_value("X-Content-Type-Options"), "nosniff");
  EXPECT_THAT(answer->body, HasSubstr("\"sequence\":\"7\""));
  EXPECT_THAT(answer->body, HasSubstr("\"clients_waiting\":"));
  hub.Publish(ExampleSnapshot(8));
  EXPECT_THAT(Get("/api/v1/stats/snapshot")->body, HasSubstr("\"sequence\":\"8\""));
}

TEST_F(HttpCallsTest, ParametersFillTheRequest) {
  Start(false);

  const httplib::Result answer = Get("/api/v1/control/clients?database=a%20b&timeout=2.5");

  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->body, HasSubstr(R"("database":"a b")"));
  EXPECT_THAT(answer->body, HasSubstr(R"("id":"9007199254740993")"));
  EXPECT_THAT(answer->body, HasSubstr(R"("quote \" tag \u003c/script\u003e end")"));
  for (const char* wrong : {"?databse=x", "?database=a&database=b", "?timeout=0", "?timeout=soon",
                            "?timeout=1e99", "?timeout=-1"}) {
    EXPECT_EQ(Get(std::string(kClients) + wrong)->status, 400) << wrong;
  }
  EXPECT_THAT(Get(std::string(kClients) + "?databse=x")->body,
              HasSubstr(R"("status":"INVALID_ARGUMENT")"));
}

TEST_F(HttpCallsTest, EachCallNeedsATokenThatMay) {
  Start(true);

  const httplib::Result nobody = Get(kClients);
  EXPECT_EQ(nobody->status, 401);
  EXPECT_EQ(nobody->get_header_value("WWW-Authenticate"), "Bearer");
  EXPECT_THAT(nobody->body, HasSubstr(R"("status":"UNAUTHENTICATED")"));
  EXPECT_EQ(Get(kClients, Bearer("wrong"))->status, 401);
  EXPECT_EQ(Get(kClients, Bearer(kReader))->status, 200);
  EXPECT_EQ(Get(kClients, {{"Authorization", std::string("bearer ") + kReader}})->status, 200);
  EXPECT_EQ(Get(kClients, Bearer(kController))->status, 200);
  EXPECT_EQ(Post(kPause, "{}", {})->status, 401);
  EXPECT_EQ(Post(kPause, "{}", Bearer(kReader))->status, 403);
  EXPECT_EQ(Post(kPause, R"({"database":"x"})")->status, 404);
  EXPECT_EQ(Get("/healthz")->status, 200);
}

TEST_F(HttpCallsTest, WithoutATokenFileReadsAreForThisMachineAndNobodyActs) {
  Start(false);

  EXPECT_EQ(Get(kClients)->status, 200);
  EXPECT_EQ(Get(kClients, {{"Host", "localhost:6545"}})->status, 200);
  EXPECT_EQ(Get(kClients, {{"Host", "[::1]:6545"}})->status, 200);
  EXPECT_EQ(Get(kClients, {{"Host", "evil.example"}})->status, 403);
  const httplib::Result act = Post(kPause, "{}", {});
  EXPECT_EQ(act->status, 403);
  EXPECT_THAT(act->body, HasSubstr("token_file"));
}

TEST_F(HttpCallsTest, WithoutATokenFileAPageFromElsewhereReportsNoPools) {
  stats::ReportedPools pools;
  AddPoolCalls(calls, pools);
  Start(false);
  const std::string report = R"({"pools": [{"application": "a", "name": "b"}]})";
  constexpr const char* kReport = "/api/v1/pools/report_pools";
  const httplib::Result answer = Client().Post(kReport, report, "text/plain");
  EXPECT_EQ(answer->status, 403);
  EXPECT_TRUE(pools.List(Clock::now()).empty());
  server.reset();
}

TEST_F(HttpCallsTest, ATokenThatReadsMayReportPools) {
  stats::ReportedPools pools;
  AddPoolCalls(calls, pools);
  Start(true);
  const std::string report = R"({"pools": [{"application": "a", "name": "b"}]})";
  EXPECT_EQ(Post("/api/v1/pools/report_pools", report, Bearer(kReader))->status, 200);
  EXPECT_EQ(pools.List(Clock::now()).size(), 1U);
  server.reset();
}

TEST_F(HttpCallsTest, WithoutATokenFileOthersReadNothing) {
  Start(false, "*:0");

  const httplib::Result answer = Get(kClients);

  EXPECT_EQ(answer->status, 403);
  EXPECT_THAT(answer->body, HasSubstr("set token_file"));
  EXPECT_EQ(Get("/healthz")->status, 200);
}

TEST_F(HttpCallsTest, MistakesAreSaidInJson) {
  Start(true);

  EXPECT_THAT(Get("/api/v1/nowhere")->body, HasSubstr(R"({"error":{"status":"NOT_FOUND")"));
  EXPECT_EQ(Get("/%ff%00%22")->status, 404);
  const httplib::Result wrong_method = Get(kPause);
  EXPECT_EQ(wrong_method->status, 405);
  EXPECT_EQ(wrong_method->get_header_value("Allow"), "POST");
  EXPECT_EQ(Post(kClients, "{}")->get_header_value("Allow"), "GET, HEAD");
  EXPECT_EQ(Client().Delete(kPause)->status, 405);
  EXPECT_EQ(Post(kPause, "{")->status, 400);
  EXPECT_EQ(Post(kPause, "[]")->status, 400);
  EXPECT_EQ(Post(kPause, R"({"databse":"x"})")->status, 400);
  EXPECT_EQ(Post(kPause, R"({"database":["x"]})")->status, 400);
  EXPECT_EQ(Post(kPause, std::string(20'000, '['))->status, 400);
  EXPECT_EQ(Post(kPause, "\xff\xfe")->status, 400);
  EXPECT_THAT(Post(kPause, R"({"database":"\"<x>"})")->body, HasSubstr("no such database: \\\""));
  EXPECT_EQ(Get("/" + std::string(20'000, 'x'))->status, 414);
}

TEST_F(HttpCallsTest, AccessSaysWhatTheCallerMayDo) {
  Start(false);
  EXPECT_EQ(Get("/api/v1/access")->body, "{\"may_act\":false,\"has_tokens\":false}\n");

  Start(true);
  EXPECT_EQ(Get("/api/v1/access")->status, 401);
  EXPECT_EQ(Get("/api/v1/access", Bearer(kReader))->body,
            "{\"may_act\":false,\"has_tokens\":true}\n");
  EXPECT_EQ(Get("/api/v1/access", Bearer(kController))->body,
            "{\"may_act\":true,\"has_tokens\":true}\n");
}

TEST_F(HttpCallsTest, PartsOfAMessageAreParametersWithADot) {
  calls.Add<v1::ListEventsRequest, v1::ListEventsResponse>(
      "Events.ListEvents", TokenRole::kRead,
      [](const v1::ListEventsRequest& request, v1::ListEventsResponse& response,
         const std::stop_token&) {
        for (const std::string& kind : request.filter().kinds()) {
          response.add_events()->set_message(request.filter().user() + " " + kind);
        }
        return grpc::Status::OK;
      });
  Start(false);

  const std::string path = "/api/v1/events";
  const httplib::Result answer = Get(path + "?filter.user=u&filter.kinds=a&filter.kinds=b&limit=5");

  EXPECT_THAT(answer->body, HasSubstr(R"("message":"u a")"));
  EXPECT_THAT(answer->body, HasSubstr(R"("message":"u b")"));
  for (const char* wrong : {"?limit.x=1", "?filter.nosuch=1", "?filter.=1", "?filter=1", "?.=1",
                            "?filter=1&filter.user=2", "?filter.user=1&filter=2", "?limit=many"}) {
    EXPECT_EQ(Get(path + wrong)->status, 400) << wrong;
  }
}

TEST_F(HttpCallsTest, ThePageRunsNothingButItsOwnFiles) {
  Start(true);

  const httplib::Result page = Get("/");

  EXPECT_EQ(page->status, 200);
  EXPECT_EQ(page->get_header_value("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page->get_header_value("Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(page->get_header_value("Content-Security-Policy"), Not(HasSubstr("unsafe")));
  EXPECT_EQ(page->get_header_value("X-Content-Type-Options"), "nosniff");
  EXPECT_THAT(page->body, HasSubstr("/web/js/main.js"));
  EXPECT_EQ(Get("/web/js/main.js")->get_header_value("Content-Type"),
            "text/javascript; charset=utf-8");
  EXPECT_EQ(Get("/web/")->status, 404);
  EXPECT_EQ(Get("/web/../web/index.html")->status, 404);
}

TEST_F(HttpCallsTest, ABrowserGetsAFileOnceAndPackedIfItLikes) {
  Start(false);
  const httplib::Result first = Get("/web/css/base.css", {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(first->get_header_value("Content-Encoding"), "gzip");
  EXPECT_THAT(first->body, HasSubstr(":root"));

  const httplib::Result again =
      Get("/web/css/base.css", {{"If-None-Match", first->get_header_value("ETag")}});

  EXPECT_EQ(again->status, 304);
  EXPECT_EQ(again->body, "");
}

TEST_F(HttpCallsTest, ABodyThatIsTooLargeIsRefused) {
  Start(true);

  const httplib::Result answer = Post(kPause, std::string(64'000, ' '));

  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  EXPECT_THAT(answer->body, HasSubstr("RESOURCE_EXHAUSTED"));
}

TEST_F(HttpCallsTest, HeadIsGetWithoutABody) {
  Start(false);

  const httplib::Result answer = Client().Head(kClients);

  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "");
}

TEST_F(HttpCallsTest, ACallThatTakesLongerThanItsTimeoutIsCalledOff) {
  Start(true);

  const httplib::Result answer =
      Post(std::string(kPause) + "?timeout=0.05", R"({"database":"waits"})");

  EXPECT_EQ(answer->status, 504);
  EXPECT_TRUE(called_off);
}

TEST_F(HttpCallsTest, ACallWhoseCallerHangsUpIsCalledOff) {
  Start(true);
  const int peer = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(server->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(peer, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const std::string request = std::string("POST ") + kPause +
                              "?database=waits HTTP/1.1\r\nContent-Length: 0\r\n"
                              "Authorization: Bearer " +
                              kController + "\r\n\r\n";
  ASSERT_EQ(::send(peer, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  Await(waiting);

  ::close(peer);

  Await(called_off);
}

TEST_F(HttpCallsTest, ACallMayTakeLongerThanAConnection) {
  Start(true);
  server = std::make_unique<HttpServer>(
      hub, HttpServerOptions{.listen = "127.0.0.1:0",
                             .connection_time = std::chrono::milliseconds(50),
                             .tokens = &tokens,
                             .calls = &calls});
  ASSERT_TRUE(server->Start());

  EXPECT_EQ(Post(std::string(kPause) + "?database=waits&timeout=0.2", "")->status, 504);
}

TEST_F(HttpCallsTest, StoppingCallsOffWhatWaits) {
  Start(true);
  std::thread caller([this] { (void)Post(kPause, R"({"database":"waits"})"); });
  Await(waiting);

  server->Stop();

  EXPECT_TRUE(called_off);
  caller.join();
}

}  // namespace
}  // namespace pgvalet::api

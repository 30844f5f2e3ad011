// /api/v1 of a real agent: the same calls as gRPC's, and the same effect.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <memory>
#include <string>

#include "pgvalet/v1/control.pb.h"
#include "pgvalet/v1/events.pb.h"
#include "pgvalet/v1/stats.pb.h"
#include "support/agent_process.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

using testing::HasSubstr;

constexpr const char* kController = "controller-token-0123456789";
constexpr const char* kPause = "/api/v1/control/pause";
constexpr const char* kResume = "/api/v1/control/resume";

class HttpApiTest : public testing::Test {
 protected:
  HttpApiTest() {
    std::ofstream(token_file_) << "control " << kController << "\n";
    ::chmod(token_file_.c_str(), 0600);
    AgentConfig config;
    config.SetText("http_listen", "127.0.0.1:" + std::to_string(port_))
        .SetText("token_file", token_file_)
        .Set("snapshot_interval", "0.1")
        .Set("admin_users", "[\"admin\"]");
    agent = std::make_unique<AgentProcess>(config);
  }
  ~HttpApiTest() override { ::unlink(token_file_.c_str()); }

  httplib::Client Client() const {
    httplib::Client client("127.0.0.1", port_);
    client.set_read_timeout(60, 0);
    client.set_default_headers({{"Authorization", std::string("Bearer ") + kController}});
    return client;
  }
  httplib::Result Get(const std::string& path) const { return Client().Get(path); }
  httplib::Result Post(const std::string& path, const std::string& body) const {
    return Client().Post(path, body, "application/json");
  }

  // As the console says.
  bool IsPaused(const std::string& database) const {
    constexpr std::size_t kPausedColumn = 15;
    Connection console(agent->To("admin", "pgbouncer"));
    for (const auto& row : console.Query("SHOW DATABASES").rows) {
      if (row[0] == database) return row[kPausedColumn] == "1";
    }
    return false;
  }

  const int port_ = FreePort();
  const std::string token_file_ = "/tmp/pgvalet-tokens-" + std::to_string(FreePort());
  std::unique_ptr<AgentProcess> agent;
};

// "ListClients" as "clients", "KillClient" as "kill_client".
std::string PathOf(const google::protobuf::MethodDescriptor& method) {
  std::string name = method.name();
  for (const std::string verb : {"Get", "List"}) {
    if (name.starts_with(verb)) name.erase(0, verb.size());
  }
  std::string path = "/api/v1/" + method.service()->name();
  if (name == method.service()->name()) name.clear();
  if (!name.empty()) path += '/';
  for (const char c : name)
    path += std::isupper(c) && path.back() != '/' ? std::string("_") + c : std::string(1, c);
  std::transform(path.begin(), path.end(), path.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return path;
}

TEST_F(HttpApiTest, EveryUnaryCallOfTheContractHasAPath) {
  for (const auto* file : {v1::PauseRequest::descriptor()->file(),
                           v1::Snapshot::descriptor()->file(), v1::Event::descriptor()->file()}) {
    const auto& service = *file->service(0);
    for (int i = 0; i < service.method_count(); ++i) {
      const auto& method = *service.method(i);
      if (method.server_streaming() || method.client_streaming()) continue;
      // Neither GET nor POST: nothing is done, but the path is known.
      EXPECT_EQ(Client().Delete(PathOf(method))->status, 405) << PathOf(method);
    }
  }
}

TEST_F(HttpApiTest, PauseWaitsForTransactionsAndResumeLetsGoOn) {
  Connection busy(agent->To());
  busy.Must("BEGIN");
  auto paused =
      std::async(std::launch::async, [&] { return Post(kPause, R"({"database":"app"})"); });
  EXPECT_TRUE(Eventually([&] { return IsPaused("app"); }));
  EXPECT_EQ(Post(kPause, R"({"database":"app"})")->status, 409);

  busy.Must("COMMIT");

  EXPECT_EQ(paused.get()->status, 200);
  EXPECT_THAT(Get("/api/v1/control/databases")->body,
              HasSubstr(R"({"database":"app","paused":true,"disabled":false})"));
  EXPECT_EQ(Post(kResume, R"({"database":"app"})")->status, 200);
  EXPECT_FALSE(IsPaused("app"));
  EXPECT_EQ(Post(kPause, R"({"database":"nosuch"})")->status, 404);
}

TEST_F(HttpApiTest, PauseWhoseTimeIsOverIsCalledOff) {
  Connection busy(agent->To());
  busy.Must("BEGIN");

  EXPECT_EQ(Post(std::string(kPause) + "?timeout=0.3", R"({"database":"app"})")->status, 504);

  EXPECT_TRUE(Eventually([&] { return !IsPaused("app"); }));
}

TEST_F(HttpApiTest, AClientIsListedAndEnded) {
  Connection client(agent->To() + " application_name=listed");
  const std::string list = Get("/api/v1/control/clients?database=app")->body;
  ASSERT_THAT(list, HasSubstr(R"("application_name":"listed")"));
  const std::string id = list.substr(list.find("\"id\":\"") + 6);

  EXPECT_EQ(
      Post("/api/v1/control/kill_client", R"({"id":)" + id.substr(0, id.find('"')) + "}")->status,
      200);

  EXPECT_EQ(client.Query("SELECT 1").sqlstate, "57P01");
  EXPECT_EQ(Get("/api/v1/control/clients")->body, "{\"clients\":[]}\n");
}

TEST_F(HttpApiTest, TheSnapshotShowsThePoolOfAClient) {
  Connection client(agent->To());
  client.Must("SELECT 1");

  EXPECT_TRUE(Eventually([&] {
    const httplib::Result answer = Get("/api/v1/stats/snapshot");
    return answer && answer->body.find(R"("database":"app")") != std::string::npos;
  }));
}

}  // namespace
}  // namespace pgvalet::integration

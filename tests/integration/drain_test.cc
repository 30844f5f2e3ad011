// Drain and resize of pools with clients in them, and suspend, over gRPC.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/connection.h"
#include "support/control_test.h"

namespace pgvalet::integration {
namespace {

using grpc::StatusCode;

class DrainTest : public ControlCallTest {
 protected:
  DrainTest() : ControlCallTest(SmallPools()) {}

  static AgentConfig SmallPools() {
    AgentConfig config;
    config.Set("default_pool_size", "2").Set("snapshot_interval", "0.1");
    return config;
  }

  static v1::DrainRequest DrainOf(const std::string& database) {
    v1::DrainRequest request;
    request.set_database(database);
    return request;
  }
  static v1::EnableRequest EnableOf(const std::string& database) {
    v1::EnableRequest request;
    request.set_database(database);
    return request;
  }
  static v1::ResizePoolRequest SizeOf(const std::string& user, int size) {
    v1::ResizePoolRequest request;
    request.set_database("app");
    request.set_user(user);
    request.set_pool_size(size);
    return request;
  }

  std::future<grpc::Status> DrainBehind(const std::string& database) {
    return std::async(std::launch::async,
                      [this, database] { return Do(&Control::Drain, DrainOf(database)); });
  }

  // It has been ended because of the drain; looks without sending, which could lose what was said.
  static bool IsEnded(Connection& client) {
    return Eventually([&] {
      PQconsumeInput(client.raw());
      client.Notifications();  // parses what has come
      return std::any_of(
          client.notices().begin(), client.notices().end(),
          [](const std::string& said) { return said.find("drained") != std::string::npos; });
    });
  }

  // Of the only pool; empty before the first snapshot that has it.
  v1::PoolGauges PoolNow() {
    const v1::Snapshot snapshot = Snapshot();
    return snapshot.pools_size() == 1 ? snapshot.pools(0).now() : v1::PoolGauges();
  }

  bool IsRefused(const std::string& database = "app") const {
    const Connection refused(agent->To("alice", database));
    return !refused.ok() && refused.error().find("disabled") != std::string::npos;
  }
};

TEST_F(DrainTest, IdleClientsAreToldAndThoseInATransactionLeaveAtItsEnd) {
  Connection idle(agent->To());
  idle.Must("SELECT 1");
  Connection busy(agent->To());
  busy.Must("BEGIN");

  std::future<grpc::Status> drained = DrainBehind("app");

  ASSERT_TRUE(Eventually([&] { return IsRefused(); }));
  EXPECT_TRUE(IsEnded(idle));
  EXPECT_EQ(busy.Value("SELECT 'still served'"), "still served");
  EXPECT_EQ(drained.wait_for(std::chrono::seconds(0)), std::future_status::timeout);

  busy.Must("COMMIT");

  EXPECT_TRUE(drained.get().ok());
  EXPECT_TRUE(IsEnded(busy));
  EXPECT_EQ(Clients().clients_size(), 0);
  EXPECT_EQ(Servers().servers_size(), 0);
  EXPECT_TRUE(IsRefused());
  EXPECT_TRUE(Do(&Control::Enable, EnableOf("app")).ok());
  EXPECT_EQ(Connection(agent->To()).Value("SELECT 'served'"), "served");
}

TEST_F(DrainTest, OtherDatabasesAreLeftAlone) {
  Connection other(agent->To("postgres", "postgres"));
  other.Must("SELECT 1");
  Connection client(agent->To());
  client.Must("SELECT 1");

  EXPECT_TRUE(Do(&Control::Drain, DrainOf("app")).ok());

  EXPECT_TRUE(IsEnded(client));
  EXPECT_EQ(other.Value("SELECT 'served'"), "served");
}

TEST_F(DrainTest, AllDatabasesAreDrainedWithThoseThatNobodyHasUsedYet) {
  Connection client(agent->To());
  client.Must("SELECT 1");
  EXPECT_EQ(Do(&Control::Enable, EnableOf("")).error_code(), StatusCode::FAILED_PRECONDITION);

  EXPECT_TRUE(Do(&Control::Drain, DrainOf("")).ok());

  EXPECT_TRUE(IsEnded(client));
  EXPECT_TRUE(IsRefused("postgres"));
  EXPECT_EQ(Do(&Control::Enable, EnableOf("app")).error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(Connection(agent->To("admin", "pgbouncer")).ok());
  EXPECT_TRUE(Do(&Control::Enable, EnableOf("")).ok());
  EXPECT_EQ(Connection(agent->To("postgres", "postgres")).Value("SELECT 'served'"), "served");
}

TEST_F(DrainTest, ClientsInLineLeaveToo) {
  Connection first(agent->To()), second(agent->To()), waiting(agent->To());
  first.Must("BEGIN; SELECT 1");
  second.Must("BEGIN; SELECT 1");
  ASSERT_TRUE(waiting.Send("SELECT 'never'"));
  ASSERT_TRUE(Eventually([&] { return PoolNow().clients_waiting() == 1; }));

  std::future<grpc::Status> drained = DrainBehind("app");

  EXPECT_EQ(waiting.Collect().sqlstate, "57P01");
  first.Must("COMMIT");
  second.Must("ROLLBACK");
  EXPECT_TRUE(drained.get().ok());
}

TEST_F(DrainTest, ListeningClientsLeaveToo) {
  Connection listener(agent->To());
  listener.Must("LISTEN drained");

  EXPECT_TRUE(Do(&Control::Drain, DrainOf("app")).ok());

  EXPECT_TRUE(IsEnded(listener));
  EXPECT_EQ(Servers().servers_size(), 0);
}

TEST_F(DrainTest, EveryClientOfABusyPoolLeavesWhicheverCoreItIsOn) {
  std::atomic<int> working{0};
  std::vector<std::jthread> programs;
  for (int i = 0; i < 12; ++i) {
    programs.emplace_back([&] {
      Connection client(agent->To());
      client.Must("SELECT 1");
      ++working;
      while (client.Query("BEGIN; SELECT pg_sleep(0.001); COMMIT").ok()) continue;
      EXPECT_FALSE(client.Query("SELECT 1").ok());
    });
  }
  ASSERT_TRUE(Eventually([&] { return working == 12; }));

  EXPECT_TRUE(Do(&Control::Drain, DrainOf("app")).ok());

  EXPECT_EQ(Clients().clients_size(), 0);
  EXPECT_EQ(Servers().servers_size(), 0);
}

TEST_F(DrainTest, ACallerWhoGivesUpLeavesTheDatabaseDisabled) {
  Connection busy(agent->To());
  busy.Must("BEGIN");
  grpc::ClientContext context;
  context.AddMetadata("authorization", std::string("Bearer ") + kController);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  v1::DrainResponse response;

  EXPECT_EQ(control->Drain(&context, DrainOf("app"), &response).error_code(),
            StatusCode::DEADLINE_EXCEEDED);

  EXPECT_TRUE(IsRefused());
  busy.Must("COMMIT");
  EXPECT_TRUE(IsEnded(busy));
  EXPECT_TRUE(Do(&Control::Drain, DrainOf("app")).ok());
}

TEST_F(DrainTest, EnableEndsADrainThatWaits) {
  Connection busy(agent->To());
  busy.Must("BEGIN");
  std::future<grpc::Status> drained = DrainBehind("app");
  ASSERT_TRUE(Eventually([&] { return IsRefused(); }));

  EXPECT_TRUE(Do(&Control::Enable, EnableOf("app")).ok());

  EXPECT_EQ(drained.get().error_code(), StatusCode::CANCELLED);
  EXPECT_EQ(Connection(agent->To()).Value("SELECT 'served'"), "served");
}

TEST_F(DrainTest, WhoMayNotAndWhatIsNotThereIsRefused) {
  EXPECT_EQ(Do(&Control::Drain, DrainOf("app"), kReader).error_code(),
            StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Do(&Control::Drain, DrainOf("nosuch")).error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(Do(&Control::ResizePool, SizeOf("", 5), kReader).error_code(),
            StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Do(&Control::ResizePool, SizeOf("", 0)).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Do(&Control::ResizePool, SizeOf("", -1)).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Do(&Control::ResizePool, SizeOf("", 2'000'000'000)).error_code(),
            StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Do(&Control::ResizePool, v1::ResizePoolRequest()).error_code(),
            StatusCode::INVALID_ARGUMENT);
  v1::ResizePoolRequest nowhere = SizeOf("", 5);
  nowhere.set_database("nosuch");
  EXPECT_EQ(Do(&Control::ResizePool, nowhere).error_code(), StatusCode::NOT_FOUND);
}

TEST_F(DrainTest, ALargerPoolServesThoseWhoWaitAtOnce) {
  Connection first(agent->To()), second(agent->To()), waiting(agent->To());
  first.Must("BEGIN; SELECT 1");
  second.Must("BEGIN; SELECT 1");
  ASSERT_TRUE(waiting.Send("SELECT 'served'"));
  ASSERT_TRUE(Eventually([&] { return PoolNow().clients_waiting() == 1; }));
  EXPECT_EQ(Do(&Control::ResizePool, SizeOf("nobody", 3)).error_code(), StatusCode::NOT_FOUND);

  v1::ResizePoolResponse response;
  ASSERT_TRUE(Call(&Control::ResizePool, SizeOf("alice", 3), response).ok());

  EXPECT_EQ(response.previous_pool_size(), 2);
  EXPECT_EQ(waiting.Collect().value(), "served");
  EXPECT_TRUE(Eventually([&] { return PoolNow().pool_size() == 3; }));
}

TEST_F(DrainTest, ASmallerPoolLosesServerConnectionsAsTheyBecomeFree) {
  Connection(agent->To()).Must("SELECT 1");  // a database of "*" is there once it is used
  ASSERT_TRUE(Do(&Control::ResizePool, SizeOf("", 4)).ok());
  std::vector<std::unique_ptr<Connection>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<Connection>(agent->To()));
    clients.back()->Must("BEGIN; SELECT 1");
  }
  v1::ResizePoolResponse response;
  ASSERT_TRUE(Call(&Control::ResizePool, SizeOf("", 1), response).ok());
  EXPECT_EQ(response.previous_pool_size(), 4);
  EXPECT_EQ(Servers().servers_size(), 4);
  EXPECT_EQ(clients[0]->Value("SELECT 'still mine'"), "still mine");

  for (const auto& client : clients) client->Must("COMMIT");

  EXPECT_TRUE(Eventually([&] { return Servers().servers_size() <= 1; }));
  EXPECT_EQ(clients[3]->Value("SELECT 'served'"), "served");
}

TEST_F(DrainTest, ASizeHoldsUntilTheNextReloadAndNotOnlyUntilTheNextSet) {
  const auto pool_size_is = [&](int size) {
    return Eventually([&] { return PoolNow().pool_size() == size; });
  };
  Connection client(agent->To());
  client.Must("SELECT 1");
  ASSERT_TRUE(Do(&Control::ResizePool, SizeOf("alice", 7)).ok());
  v1::SetSettingRequest other;
  other.set_key("query_timeout");
  other.set_value("30");
  ASSERT_TRUE(Do(&Control::SetSetting, other).ok());
  EXPECT_TRUE(pool_size_is(7));

  ASSERT_TRUE(Do(&Control::Reload, v1::ReloadRequest()).ok());

  EXPECT_TRUE(pool_size_is(2));
}

TEST_F(DrainTest, SuspendHoldsClientsUntilResume) {
  Connection client(agent->To());
  client.Must("SELECT 1");
  ASSERT_TRUE(Do(&Control::Suspend, v1::SuspendRequest()).ok());
  EXPECT_EQ(Do(&Control::Suspend, v1::SuspendRequest()).error_code(),
            StatusCode::FAILED_PRECONDITION);
  ASSERT_TRUE(client.Send("SELECT 'served'"));

  EXPECT_TRUE(Do(&Control::Resume, v1::ResumeRequest()).ok());

  EXPECT_EQ(client.Collect().value(), "served");
}

}  // namespace
}  // namespace pgvalet::integration

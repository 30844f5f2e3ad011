// Clients and server connections that go from core to core.
#include <gmock/gmock.h>

#include "house.h"

namespace pgvalet::session {
namespace {

struct MoveTest : testing::Test {
  static void OneServer(config::Settings& settings) { settings.default_pool_size = 1; }
  House house{OneServer, /*cores=*/2};
};

TEST_F(MoveTest, ClientKeepsItsStatementsAndSettings) {
  FakeClient client = house.Connect("-c timezone=X");
  house.Ask(client, Parse("s", "select 2") + Sync());

  house.context(0).MoveClients(1, 1);
  house.Settle();

  EXPECT_EQ(house.context(0).client_count(), 0u);
  EXPECT_EQ(house.context(1).client_count(), 1u);
  client.Send(Bind("s") + Execute() + Sync());
  house.Settle();
  house.Tick(std::chrono::milliseconds(30));  // core 1 asks core 0 for the only connection
  house.Settle();
  EXPECT_EQ(client.Answers(), "2 D D C:SELECT 2 Z:I");
  EXPECT_EQ(house.server->connections.size(), 1u);
  EXPECT_EQ(house.connection(0).backend.settings().at("timezone"), "X");
}

TEST_F(MoveTest, ClientInATransactionMovesAtItsEnd) {
  FakeClient client = house.Connect();
  house.Ask(client, Query("begin"));

  house.context(0).MoveClients(1, 1);
  house.Settle();
  EXPECT_EQ(house.context(1).client_count(), 0u);
  EXPECT_EQ(house.Ask(client, Query("commit")), "C:COMMIT Z:I");

  EXPECT_EQ(house.context(1).client_count(), 1u);
}

TEST_F(MoveTest, RequestThatArrivesDuringTheMoveIsServed) {
  FakeClient client = house.Connect();
  house.Ask(client, Query("select"));
  house.context(0).MoveClients(1, 1);
  house.loops[0]->Turn();
  client.Send(Query("select 3"));

  house.Settle();
  house.Tick(std::chrono::milliseconds(30));

  EXPECT_EQ(client.Answers(), "T D D D C:SELECT 3 Z:I");
}

TEST_F(MoveTest, ClientThatHangsUpDuringTheMoveIsNoticed) {
  FakeClient client = house.Connect();
  house.context(0).MoveClients(1, 1);
  house.loops[0]->Turn();
  client.Close();

  house.Settle();

  EXPECT_EQ(house.context(0).client_count() + house.context(1).client_count(), 0u);
  EXPECT_EQ(house.shared.clients.load(), 0);
}

TEST_F(MoveTest, CancelRequestFindsTheClientOnItsNewCore) {
  FakeClient client = house.ConnectOnly(Startup("mia", "shop"));
  const std::string welcome = client.Receive();
  const std::string key = welcome.substr(welcome.size() - 6 - 8, 8);
  std::string request;
  wire::AppendCancelRequest(request, wire::LoadU32(key.data()), key.substr(4));
  house.context(0).MoveClients(1, 1);
  house.Settle();
  client.Send(Query("sleep"));
  house.Settle();
  house.Tick(std::chrono::milliseconds(30));

  FakeClient messenger = house.ConnectOnly(request);
  house.Settle();

  EXPECT_EQ(client.Answers(), "E:57014 Z:I");
}

TEST_F(MoveTest, DatabaseRemovedMeanwhileEndsTheClient) {
  FakeClient client = house.Connect();
  house.context(1).SetSettings(house.MakeSettings([](config::Settings& settings) {
    settings.databases.clear();
    settings.log_disconnections = true;
  }),
                               house.context(1).users());

  house.context(0).MoveClients(1, 1);
  house.Settle();

  EXPECT_EQ(client.Answers(), "E:FATAL:3D000");
  EXPECT_EQ(house.context(1).client_count(), 0u);
  EXPECT_EQ(house.shared.clients.load(), 0);
}

// One limit for both cores: the connection goes to where clients wait.
TEST_F(MoveTest, ServerConnectionGoesWhereClientsWait) {
  FakeClient here = house.Connect();
  house.Ask(here, Query("select"));
  FakeClient there = house.Connect({}, 1);
  there.Send(Query("select 2"));
  house.Settle();

  house.Tick(std::chrono::milliseconds(30));

  EXPECT_EQ(there.Answers(), "T D D C:SELECT 2 Z:I");
  EXPECT_EQ(house.server->connections.size(), 1u);
  here.Send(Query("select 3"));
  house.Settle();
  house.Tick(std::chrono::milliseconds(30));
  EXPECT_EQ(here.Answers(), "T D D D C:SELECT 3 Z:I");
}

// The mark would stay: who takes it away again is who gives a connection to another core.
TEST(LonelyCoreTest, AsksNobodyForAConnection) {
  House house;
  FakeClient first = house.Connect();
  house.Ask(first, Query("begin"));
  FakeClient second = house.Connect();
  second.Send(Query("select"));
  house.Settle();

  house.Tick(std::chrono::milliseconds(30));

  EXPECT_FALSE(house.pool().group().AnyWanting());
}

TEST_F(MoveTest, ManyClientsMoveToAndFroWhileTheyWork) {
  std::vector<FakeClient> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(house.Connect({}, static_cast<std::size_t>(i % 2)));
  for (int round = 0; round < 20; ++round) {
    for (FakeClient& client : clients) client.Send(Query("select"));
    house.context(static_cast<std::size_t>(round % 2)).MoveClients(1 - round % 2, 2);
    for (int i = 0; i < 8; ++i) {
      house.Settle();
      house.Tick(std::chrono::milliseconds(30));
    }
    for (FakeClient& client : clients) ASSERT_EQ(client.Answers(), "T D C:SELECT 1 Z:I") << round;
  }
  EXPECT_EQ(house.server->open(), 1u);
}

}  // namespace
}  // namespace pgvalet::session

// From the first byte of a client to its first ReadyForQuery.
#include <gmock/gmock.h>

#include "house.h"

namespace pgvalet::session {
namespace {

using testing::HasSubstr;

std::string Request(std::uint32_t code) {
  std::string out;
  wire::AppendU32(out, 8);
  wire::AppendU32(out, code);
  return out;
}

const std::string kSslRequest = Request(80877103);
const std::string kGssRequest = Request(80877104);

TEST(LoginTest, WelcomeTellsWhatTheServerReports) {
  House house;
  FakeClient client = house.ConnectOnly(Startup("mia", "shop"));

  EXPECT_EQ(client.Answers(), "R S:server_version=15.7 S:TimeZone=UTC S:application_name= K Z:I");
}

TEST(LoginTest, WelcomeTellsTheClientsOwnSettings) {
  House house;
  FakeClient client = house.ConnectOnly(Startup("mia", "shop", "-c timezone=X"));

  EXPECT_THAT(client.Answers(), HasSubstr("S:TimeZone=X"));
}

TEST(LoginTest, EncryptionIsDeclinedAndTheLoginGoesOn) {
  House house;
  FakeClient client = house.ConnectOnly(kSslRequest);
  EXPECT_EQ(client.Receive(), "N");
  client.Send(kGssRequest);
  house.Settle();
  EXPECT_EQ(client.Receive(), "N");

  EXPECT_TRUE(house.Ask(client, Startup("mia", "shop")).ends_with("Z:I"));
}

TEST(LoginTest, BytesBehindAnEncryptionRequestAreRefused) {
  House house;
  FakeClient client = house.ConnectOnly(kSslRequest + Startup("mia", "shop"));

  EXPECT_EQ(client.Answers(), "E:FATAL:08P01");
  EXPECT_TRUE(client.closed());
}

TEST(LoginTest, NewerMinorVersionIsNegotiated) {
  House house;
  std::string startup = Startup("mia", "shop");
  startup[7] = 2;

  FakeClient client = house.ConnectOnly(startup);

  EXPECT_TRUE(client.Answers().starts_with("v R "));
}

TEST(LoginTest, GarbageIsRefused) {
  House house;
  FakeClient client = house.ConnectOnly("GET / HTTP/1.1\r\n\r\n");

  EXPECT_EQ(client.Answers(), "E:FATAL:08P01");
  EXPECT_TRUE(client.closed());
}

TEST(LoginTest, StartupMayComeByteByByteAndBringAQueryAlong) {
  House house;
  FakeClient client = house.ConnectOnly("");
  const std::string bytes = Startup("mia", "shop") + Query("select");
  for (char byte : bytes) {
    client.Send({&byte, 1});
    house.TurnOnce();
  }
  house.Settle();

  EXPECT_TRUE(client.Answers().ends_with("K Z:I T D C:SELECT 1 Z:I"));
}

TEST(LoginTest, ClientThatSaysNothingIsToldToGo) {
  House house([](config::Settings& settings) {
    settings.client_login_timeout = Duration{1};  // over before the first turn
  });
  FakeClient client = house.ConnectOnly("");
  std::string answers;
  for (int i = 0; i < 100 && !client.closed(); ++i) {
    house.Settle();
    answers += client.Receive();
  }

  EXPECT_EQ(Describe(answers), "E:FATAL:57014");
  EXPECT_TRUE(client.closed());
}

TEST(LoginTest, ClientThatLeavesLeavesNothingBehind) {
  for (std::string_view said : {std::string_view(), std::string_view("\0\0\0", 3)}) {
    House house;
    FakeClient client = house.ConnectOnly(said);
    EXPECT_EQ(house.context().client_count(), 1u);

    client.Close();
    house.Settle();

    EXPECT_EQ(house.context().client_count(), 0u);
    EXPECT_EQ(house.shared.clients.load(), 0);
  }
}

TEST(LoginTest, UnknownDatabaseHasItsSqlstate) {
  House house([](config::Settings& settings) {
    settings.databases["shop"] = settings.databases["*"];
    settings.databases.erase("*");
  });

  FakeClient client = house.ConnectOnly(Startup("mia", "bakery"));

  EXPECT_EQ(client.Answers(), "E:FATAL:3D000");
}

TEST(LoginTest, TooManyClientsAreRefused) {
  House house([](config::Settings& settings) { settings.max_client_conn = 1; });
  FakeClient first = house.Connect();
  FakeClient second = house.ConnectOnly(Startup("mia", "shop"));
  EXPECT_EQ(second.Answers(), "E:FATAL:53300");

  first.Close();
  house.Settle();

  house.Connect();
}

TEST(LoginTest, RefusalOfTheServerIsPassedOn) {
  House house;
  house.server->refuse_sqlstate = "28000";

  FakeClient client = house.ConnectOnly(Startup("mia", "shop"));

  EXPECT_EQ(client.Answers(), "E:FATAL:28000");
}

TEST(LoginTest, SettingTheServerRefusesIsToldWithItsSqlstate) {
  House house;
  house.Connect();
  house.connection(0).Hold();
  FakeClient client = house.ConnectOnly(Startup("mia", "shop", "-c timezone=nowhere"));
  std::string error;
  wire::AppendErrorResponse(error, {"ERROR", "22023", "no such time zone"});
  wire::AppendReadyForQuery(error, wire::TxStatus::kIdle);
  house.connection(0).SendRaw(error);
  house.Settle();

  EXPECT_EQ(client.Answers(), "E:FATAL:22023");
  EXPECT_EQ(house.server->open(), 1u);
}

TEST(LoginTest, ReplicationIsNotPooled) {
  House house;
  std::string startup;
  wire::AppendStartup(startup, {{"user", "mia"}, {"replication", "database"}});

  FakeClient client = house.ConnectOnly(startup);

  EXPECT_EQ(client.Answers(), "E:FATAL:0A000");
}

TEST(LoginTest, NobodyIsLetInWhileTheAgentLeaves) {
  House house;
  FakeClient before = house.Connect();
  house.context().SetState(ServiceState::kDraining);

  FakeClient late = house.ConnectOnly(Startup("mia", "shop"));

  EXPECT_EQ(late.Answers(), "E:FATAL:57P03");
  EXPECT_EQ(house.Ask(before, Query("select")), "T D C:SELECT 1 Z:I");
}

TEST(LeavingTest, TransactionIsFinishedFirst) {
  House house;
  FakeClient idle = house.Connect(), open = house.Connect();
  house.Ask(open, Query("begin"));

  house.context().SetState(ServiceState::kFinishing);
  house.Settle();

  EXPECT_EQ(idle.Answers(), "E:FATAL:57P01");
  EXPECT_EQ(house.Ask(open, Query("select")), "T D C:SELECT 1 Z:T");
  EXPECT_EQ(house.Ask(open, Query("commit")), "C:COMMIT Z:I E:FATAL:57P01");
  EXPECT_EQ(house.context().client_count(), 0u);
}

TEST(LeavingTest, EndAllEndsAll) {
  House house;
  FakeClient idle = house.Connect(), open = house.Connect();
  house.Ask(open, Query("begin"));

  house.context().EndAll("the agent ends now");
  house.Settle();

  EXPECT_EQ(idle.Answers(), "E:FATAL:57P01");
  EXPECT_EQ(open.Answers(), "E:FATAL:57P01");
  EXPECT_EQ(house.context().client_count(), 0u);
}

}  // namespace
}  // namespace pgvalet::session

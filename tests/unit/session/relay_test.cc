// Requests there and answers back: one lease after the other.
#include <gmock/gmock.h>

#include "house.h"

namespace pgvalet::session {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(RelayTest, QueryGoesThereAndItsAnswerComesBack) {
  House house;
  FakeClient client = house.Connect();

  EXPECT_EQ(house.Ask(client, Query("select 2")), "T D D C:SELECT 2 Z:I");

  EXPECT_EQ(house.server->open(), 1u);
  EXPECT_EQ(house.pool().counters().servers_idle.value(), 1);
}

TEST(RelayTest, MessagesMayComeByteByByte) {
  House house;
  FakeClient client = house.Connect();
  const std::string request = Parse("s", "select 1") + Bind("s", 100) + DescribeStatement("s") +
                              Execute() + CloseStatement("s") + Sync() + Query("copy in") +
                              CopyData("1") + CopyDone() + FunctionCall();

  for (char byte : request) {
    client.Send({&byte, 1});
    house.TurnOnce();
  }
  house.Settle();

  EXPECT_EQ(client.Answers(), "1 2 t T D C:SELECT 1 3 Z:I G C:COPY 1 Z:I V Z:I");
  EXPECT_EQ(house.pool().counters().servers_idle.value(), 1);
}

TEST(RelayTest, AnswersMayComeByteByByte) {
  House house;
  FakeClient client = house.Connect();
  house.Ask(client, Query("select"));
  house.connection(0).SendInPieces(1);
  client.Send(Query("select 3; notice; fail") + Query("select 1"));
  std::string answers;

  for (int i = 0; i < 20; ++i) {
    house.Settle();
    answers += client.Receive();
  }

  EXPECT_EQ(Describe(answers),
            "T D D D C:SELECT 3 N T D C:SELECT 1 E:22012 Z:I T D C:SELECT 1 Z:I");
}

// What one slow reader makes the agent hold is bounded, however long the answer is.
TEST(RelayTest, LongAnswerToASlowReaderIsStreamed) {
  House house;
  FakeClient client = house.ConnectOnly(Startup("mia", "shop"), 0, /*buffer_bytes=*/4096);
  client.Receive();
  client.Send(Query("select 500x10000"));
  house.Settle();

  const std::int64_t held = house.loops[0]->counters.buffer_bytes.value();

  EXPECT_LE(held, 3 * 64 * 1024);
  std::string answers;
  for (int i = 0; i < 5000 && !Types(answers).ends_with("Z"); ++i) {
    house.TurnOnce();
    const std::string more = client.Receive();
    answers += more;
  }
  EXPECT_EQ(Types(answers), "T" + std::string(500, 'D') + "CZ");
  EXPECT_EQ(house.loops[0]->counters.buffer_bytes.value(), 0);
}

TEST(RelayTest, LongRequestToASlowServerIsStreamed) {
  House house;
  FakeClient client = house.Connect();
  house.Ask(client, Query("select"));
  house.connection(0).Hold();
  const std::string request = Parse("", "select") + Bind("", 3'000'000) + Sync();

  std::size_t sent = 0;
  for (int i = 0; i < 500 && sent < request.size(); ++i) {
    sent += client.Send(std::string_view(request).substr(sent));
    if (i == 100) {
      EXPECT_LT(sent, 1'000'000u);  // nobody reads, so nobody else holds it
      house.connection(0).Release();
    }
    house.TurnOnce();
    EXPECT_LE(house.loops[0]->counters.buffer_bytes.value(), 3 * 64 * 1024);
  }
  house.Settle();

  EXPECT_EQ(sent, request.size());
  EXPECT_EQ(client.Answers(), "1 2 Z:I");
}

TEST(RelayTest, FlushWithoutSyncKeepsTheLease) {
  House house;
  FakeClient client = house.Connect();

  EXPECT_EQ(house.Ask(client, Parse("", "select 1") + Flush()), "1");

  EXPECT_EQ(house.pool().counters().servers_active.value(), 1);
  EXPECT_EQ(house.Ask(client, Sync()), "Z:I");
  EXPECT_EQ(house.pool().counters().servers_idle.value(), 1);
}

TEST(RelayTest, SimpleQueryBehindAFailedParseIsSkippedAsByTheServer) {
  House house;
  FakeClient client = house.Connect();

  EXPECT_EQ(house.Ask(client, Parse("", "bad") + Query("select 1") + Sync()), "E:42601 Z:I");

  EXPECT_EQ(house.pool().counters().servers_idle.value(), 1);
}

TEST(RelayTest, RestOfAFailedCopyIsDroppedWithoutAServer) {
  House house;
  FakeClient client = house.Connect();
  EXPECT_EQ(house.Ask(client, Query("copy in") + CopyData("bad")), "G E:22P02 Z:I");

  EXPECT_EQ(house.Ask(client, CopyData("1") + CopyDone()), "");

  EXPECT_EQ(house.pool().counters().servers_idle.value(), 1);
  EXPECT_EQ(house.Ask(client, Query("select 1")), "T D C:SELECT 1 Z:I");
}

TEST(RelayTest, QuerySentTogetherWithTheGoodbyeIsStillCarriedOut) {
  House house;
  FakeClient client = house.Connect();
  house.Ask(client, Query("select"));
  house.Seen(0);

  client.Send(Query("update") + Terminate());
  house.Settle();

  EXPECT_THAT(house.Seen(0), ElementsAre("Q update"));
  client.Receive();
  EXPECT_TRUE(client.closed());
}

TEST(RelayTest, UnknownMessageEndsTheSession) {
  House house;
  FakeClient client = house.Connect();

  EXPECT_EQ(house.Ask(client, std::string("!\0\0\0\4", 5)), "E:FATAL:08P01");

  EXPECT_TRUE(client.closed());
}

TEST(RelayTest, ImpossibleLengthEndsTheSession) {
  House house;
  FakeClient client = house.Connect();

  EXPECT_EQ(house.Ask(client, std::string("Q\0\0\0\3", 5)), "E:FATAL:08P01");

  EXPECT_TRUE(client.closed());
}

// ---- leases ----

TEST(LeaseTest, TransactionKeepsItsServerUntilItsEnd) {
  House house;
  FakeClient client = house.Connect();

  EXPECT_EQ(house.Ask(client, Query("begin")), "C:BEGIN Z:T");
  EXPECT_EQ(house.pool().counters().servers_active.value(), 1);
  EXPECT_EQ(house.Ask(client, Query("fail")), "E:22012 Z:E");
  EXPECT_EQ(house.pool().counters().servers_active.value(), 1);

  EXPECT_EQ(house.Ask(client, Query("commit")), "C:ROLLBACK Z:I");
  EXPECT_EQ(house.pool().counters().servers_active.value(), 0);
}

TEST(LeaseTest, WaitersAreServedFirstInFirstOut) {
  House house;
  FakeClient holder = house.Connect();
  std::vector<FakeClient> waiters;
  for (int i = 0; i < 4; ++i) waiters.push_back(house.Connect());
  house.Ask(holder, Query("begin"));
  for (std::size_t i : {2, 0, 3, 1}) {
    EXPECT_EQ(house.Ask(waiters[i], Query("update " + std::to_string(i))), "");
  }
  EXPECT_EQ(house.pool().counters().clients_waiting.value(), 4);
  house.Seen(0);

  house.Ask(holder, Query("commit"));

  EXPECT_THAT(house.Seen(0),
              ElementsAre("Q commit", "Q update 2", "Q update 0", "Q update 3", "Q update 1"));
  for (FakeClient& client : waiters) EXPECT_EQ(client.Answers(), "C:DONE Z:I");
  EXPECT_EQ(house.server->open(), 1u);
}

TEST(LeaseTest, ClientThatVanishesInsideATransactionCostsItsServerConnection) {
  House house;
  FakeClient client = house.Connect();
  house.Ask(client, Query("begin"));

  client.Close();
  house.Settle();

  EXPECT_EQ(house.server->open(), 0u);
  FakeClient next = house.Connect();
  EXPECT_EQ(house.Ask(next, Query("select")), "T D C:SELECT 1 Z:I");
  EXPECT_EQ(house.server->connections.size(), 2u);
}

TEST(LeaseTest, ClientThatVanishesDuringAQueryHasItCancelled) {
  House house;
  FakeClient client = house.Connect();
  house.Ask(client, Query("sleep"));

  client.Close();
  house.Settle();

  EXPECT_THAT(house.server->cancels, ElementsAre(house.connection(0).pid()));
  EXPECT_EQ(house.server->open(), 0u);
}

TEST(LeaseTest, ClientThatLeavesBetweenTransactionsCostsNothing) {
  House house;
  FakeClient client = house.Connect();
  house.Ask(client, Query("select"));

  client.Send(Terminate());
  house.Settle();

  EXPECT_EQ(house.server->open(), 1u);
  EXPECT_EQ(house.context().client_count(), 0u);
}

TEST(LeaseTest, WaiterThatVanishesIsNotServed) {
  House house;
  FakeClient holder = house.Connect();
  FakeClient waiter = house.Connect();
  house.Ask(holder, Query("begin"));
  house.Ask(waiter, Query("update"));

  waiter.Close();
  house.Settle();
  house.Seen(0);
  house.Ask(holder, Query("commit"));

  EXPECT_THAT(house.Seen(0), ElementsAre("Q commit"));
  EXPECT_EQ(house.pool().counters().clients_waiting.value(), 0);
}

TEST(LeaseTest, WaitIsLimitedByQueryWaitTimeout) {
  House house;
  FakeClient holder = house.Connect();
  FakeClient waiter = house.Connect();
  house.Ask(holder, Query("begin"));
  house.Ask(waiter, Query("select"));

  house.Tick(std::chrono::seconds(99));
  EXPECT_EQ(waiter.Answers(), "");
  house.Tick(std::chrono::seconds(101));

  EXPECT_EQ(waiter.Answers(), "E:FATAL:53300");
  EXPECT_TRUE(waiter.closed());
  EXPECT_EQ(house.pool().counters().lease_timeouts.value(), 1u);
}

TEST(LeaseTest, SessionModeKeepsTheServerAndResetsItAtTheEnd) {
  House house([](config::Settings& settings) { settings.pool_mode = config::PoolMode::kSession; });
  FakeClient client = house.Connect();
  house.Ask(client, Query("select"));
  EXPECT_EQ(house.pool().counters().servers_active.value(), 1);
  house.Seen(0);

  client.Send(Terminate());
  house.Settle();

  EXPECT_THAT(house.Seen(0), ElementsAre("Q DISCARD ALL"));
  EXPECT_EQ(house.pool().counters().servers_idle.value(), 1);
}

TEST(LeaseTest, StatementModeRefusesATransactionBlock) {
  House house(
      [](config::Settings& settings) { settings.pool_mode = config::PoolMode::kStatement; });
  FakeClient client = house.Connect();
  EXPECT_EQ(house.Ask(client, Query("select")), "T D C:SELECT 1 Z:I");

  EXPECT_EQ(house.Ask(client, Query("begin")), "C:BEGIN E:FATAL:08P01");

  EXPECT_TRUE(client.closed());
  EXPECT_EQ(house.server->open(), 0u);
}

TEST(LeaseTest, TimeoutsEndWhatTakesTooLong) {
  House house([](config::Settings& settings) {
    settings.query_timeout = std::chrono::seconds(10);
    settings.idle_transaction_timeout = std::chrono::seconds(20);
    settings.transaction_timeout = std::chrono::seconds(30);
    settings.client_idle_timeout = std::chrono::seconds(40);
    settings.default_pool_size = 3;
  });
  FakeClient idle = house.Connect(), asleep = house.Connect(), open = house.Connect();
  house.Ask(asleep, Query("sleep"));
  house.Ask(open, Query("begin"));

  house.Tick(std::chrono::seconds(11));
  EXPECT_EQ(asleep.Answers(), "E:FATAL:57014");
  EXPECT_EQ(house.server->cancels.size(), 1u);
  house.Tick(std::chrono::seconds(21));
  EXPECT_EQ(open.Answers(), "E:FATAL:25P03");
  house.Tick(std::chrono::seconds(39));
  EXPECT_EQ(idle.Answers(), "");
  house.Tick(std::chrono::seconds(41));
  EXPECT_EQ(idle.Answers(), "E:FATAL:57P05");
  EXPECT_EQ(house.server->open(), 0u);
}

// ---- servers that go away ----

TEST(ServerGoneTest, ClientInTheMiddleOfAnAnswerIsTold) {
  House house;
  FakeClient client = house.Connect();
  house.Ask(client, Query("begin"));
  house.connection(0).Hold();
  house.Ask(client, Query("select"));

  house.connection(0).Close();
  house.Settle();

  EXPECT_EQ(client.Answers(), "E:FATAL:08006");
  EXPECT_TRUE(client.closed());
}

// More bytes would be taken for the rest of the row.
TEST(ServerGoneTest, ClientInTheMiddleOfARowIsToldNothing) {
  House house;
  FakeClient client = house.Connect();
  house.Ask(client, Query("begin"));
  house.connection(0).Hold();
  house.Ask(client, Query("select"));
  std::string row;
  row.push_back(wire::server::kDataRow);
  wire::AppendU32(row, 1000);
  row += "the beginning";
  house.connection(0).SendRaw(row);
  house.Settle();

  house.connection(0).Close();
  house.Settle();

  EXPECT_EQ(client.Receive(), row);
  EXPECT_TRUE(client.closed());
}

TEST(ServerGoneTest, LastWordsOfTheServerAreTheLastTheClientHears) {
  House house;
  FakeClient client = house.Connect();

  EXPECT_EQ(house.Ask(client, Query("die")), "E:FATAL:57P01");

  EXPECT_TRUE(client.closed());
}

TEST(ServerGoneTest, IdleConnectionThatIsClosedHarmsNobody) {
  House house;
  FakeClient client = house.Connect();
  house.Ask(client, Query("select"));

  house.connection(0).Close();
  house.Settle();

  EXPECT_EQ(client.Answers(), "");
  EXPECT_EQ(house.Ask(client, Query("select")), "T D C:SELECT 1 Z:I");
}

TEST(ServerGoneTest, ConnectionThatSpeaksOutOfTurnIsNotHandedOn) {
  House house;
  FakeClient client = house.Connect();
  house.Ask(client, Query("select"));
  std::string notice;
  wire::AppendNoticeResponse(notice, {"WARNING", "01000", "going down soon"});

  house.connection(0).SendRaw(notice);
  house.Settle();

  EXPECT_EQ(house.server->open(), 0u);
  EXPECT_EQ(house.Ask(client, Query("select")), "T D C:SELECT 1 Z:I");
}

TEST(ServerGoneTest, AnswerToNothingIsNotHandedOn) {
  House house;
  FakeClient client = house.Connect();
  house.Ask(client, Query("begin"));
  std::string stray;
  wire::AppendParseComplete(stray);
  house.connection(0).SendRaw(stray);

  house.Ask(client, Query("commit"));

  EXPECT_EQ(house.server->open(), 0u);
}

}  // namespace
}  // namespace pgvalet::session

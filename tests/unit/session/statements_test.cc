// Prepared statements by the client's names, on whichever server it has.
#include <gmock/gmock.h>

#include "house.h"

namespace pgvalet::session {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string Use(std::string_view name) { return Bind(name) + Execute() + Sync(); }

struct StatementsTest : testing::Test {
  // Afterwards the next lease of anybody else is of another server connection.
  void Occupy() {
    other.emplace(house.Connect());
    house.Ask(*other, Query("begin"));
  }
  static void TwoServers(config::Settings& settings) {
    settings.default_pool_size = 2;
    settings.max_prepared_statements = 2;
  }

  House house{TwoServers};
  std::optional<FakeClient> other;
};

TEST_F(StatementsTest, IsParsedAgainOnAnotherServer) {
  FakeClient client = house.Connect();
  EXPECT_EQ(house.Ask(client, Parse("s", "select 2") + Sync()), "1 Z:I");
  Occupy();
  house.Seen(0);

  EXPECT_EQ(house.Ask(client, Use("s")), "2 D D C:SELECT 2 Z:I");

  EXPECT_EQ(house.server->connections.size(), 2u);
  EXPECT_THAT(house.Seen(1), ElementsAre("P PGVALET_1 select 2", "B PGVALET_1", "E", "S"));
  EXPECT_EQ(house.Ask(client, Use("s")), "2 D D C:SELECT 2 Z:I");
  EXPECT_THAT(house.Seen(1), ElementsAre("B PGVALET_1", "E", "S"));
}

TEST_F(StatementsTest, SameTextOfTwoClientsIsParsedOnce) {
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(one, Parse("a", "select") + Sync());
  house.Seen(0);

  EXPECT_EQ(house.Ask(two, Parse("b", "select") + Use("b")), "1 2 D C:SELECT 1 Z:I");

  EXPECT_THAT(house.Seen(0), ElementsAre("B PGVALET_1", "E", "S"));
}

TEST_F(StatementsTest, UnnamedStatementFollowsItsClient) {
  FakeClient client = house.Connect();
  EXPECT_EQ(house.Ask(client, Parse("", "select 3") + Sync()), "1 Z:I");
  Occupy();

  EXPECT_EQ(house.Ask(client, Use("")), "2 D D D C:SELECT 3 Z:I");
}

TEST_F(StatementsTest, UnnamedStatementIsNotTheOneAnotherClientLeft) {
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(one, Parse("", "select 1") + Sync());
  house.Ask(two, Parse("", "select 2") + Sync());

  EXPECT_EQ(house.Ask(one, Use("")), "2 D C:SELECT 1 Z:I");
}

TEST_F(StatementsTest, LeastRecentlyUsedGoes) {
  FakeClient client = house.Connect();
  house.Ask(client, Parse("a", "select 1") + Parse("b", "select 2") + Use("a"));
  house.Seen(0);

  EXPECT_EQ(house.Ask(client, Parse("c", "select 3") + Sync()), "1 Z:I");

  EXPECT_THAT(house.Seen(0), ElementsAre("C S PGVALET_2", "P PGVALET_3 select 3", "S"));
  EXPECT_EQ(house.Ask(client, Use("b")), "2 D D C:SELECT 2 Z:I");
  EXPECT_EQ(house.connection(0).backend.statements().size(), 2u);
}

TEST_F(StatementsTest, RepeatedNameIsTheServersOwnError) {
  FakeClient client = house.Connect();
  house.Ask(client, Parse("s", "select 1") + Sync());

  EXPECT_EQ(house.Ask(client, Parse("s", "select 2") + Sync()), "E:42P05 Z:I");

  EXPECT_EQ(house.Ask(client, Use("s")), "2 D C:SELECT 1 Z:I");
  FakeClient next = house.Connect();
  EXPECT_EQ(house.Ask(next, Parse("s", "select 3") + Use("s")), "1 2 D D D C:SELECT 3 Z:I");
}

TEST_F(StatementsTest, UnknownNameIsTheServersOwnError) {
  FakeClient client = house.Connect();

  EXPECT_EQ(house.Ask(client, Use("absent")), "E:26000 Z:I");
  EXPECT_EQ(house.Ask(client, DescribeStatement("absent") + Sync()), "E:26000 Z:I");
  EXPECT_EQ(house.Ask(client, CloseStatement("absent") + Sync()), "3 Z:I");
}

TEST_F(StatementsTest, ClosedNameIsGoneForItsClientAlone) {
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(one, Parse("s", "select") + Sync());
  house.Ask(two, Parse("s", "select") + Sync());

  EXPECT_EQ(house.Ask(one, CloseStatement("s") + Sync()), "3 Z:I");

  EXPECT_EQ(house.Ask(one, Use("s")), "E:26000 Z:I");
  EXPECT_EQ(house.Ask(two, Use("s")), "2 D C:SELECT 1 Z:I");
}

TEST_F(StatementsTest, ParseThatFailedIsNotRemembered) {
  FakeClient client = house.Connect();
  EXPECT_EQ(house.Ask(client, Parse("s", "bad") + Use("s")), "E:42601 Z:I");

  EXPECT_EQ(house.Ask(client, Parse("s", "select") + Use("s")), "1 2 D C:SELECT 1 Z:I");
}

TEST_F(StatementsTest, ParseThatWasSkippedIsNotRemembered) {
  FakeClient client = house.Connect();
  house.Ask(client, Parse("old", "select 2") + Sync());
  EXPECT_EQ(house.Ask(client, Parse("", "bad") + Parse("s", "select") + CloseStatement("old") +
                                  Parse("known", "select 2") + Sync()),
            "E:42601 Z:I");

  EXPECT_EQ(house.Ask(client, Use("s")), "E:26000 Z:I");
  EXPECT_EQ(house.Ask(client, Use("known")), "E:26000 Z:I");
  EXPECT_EQ(house.Ask(client, Use("old")), "2 D D C:SELECT 2 Z:I");
  EXPECT_EQ(house.Ask(client, Parse("s", "select") + Use("s")), "1 2 D C:SELECT 1 Z:I");
}

TEST_F(StatementsTest, DeallocateAllAndDiscardAllForgetAll) {
  for (const char* sql : {"deallocate all", "discard all"}) {
    FakeClient client = house.Connect();
    house.Ask(client, Parse("s", "select") + Sync());
    house.Ask(client, Query(sql));

    EXPECT_EQ(house.Ask(client, Use("s")), "E:26000 Z:I") << sql;
    EXPECT_EQ(house.Ask(client, Parse("s", "select") + Use("s")), "1 2 D C:SELECT 1 Z:I") << sql;
  }
}

TEST_F(StatementsTest, DeallocateBySqlForgetsTheName) {
  FakeClient client = house.Connect();
  house.Ask(client, Parse("s", "select") + Sync());
  Occupy();

  EXPECT_EQ(house.Ask(client, Query("DEALLOCATE s")), "C:DEALLOCATE Z:I");

  EXPECT_EQ(house.Ask(client, Use("s")), "E:26000 Z:I");
}

TEST_F(StatementsTest, DeallocateMayBeCutAnywhere) {
  const std::string request = Query("deallocate s");
  for (std::size_t cut = 1; cut < request.size(); ++cut) {
    FakeClient client = house.Connect();
    house.Ask(client, Parse("s", "select") + Sync());
    EXPECT_EQ(house.Ask(client, request.substr(0, cut)), "");
    EXPECT_EQ(house.Ask(client, request.substr(cut)), "C:DEALLOCATE Z:I") << cut;
  }
}

// The statement cannot be parsed on the server that the client has now: that must not leave the
// server skipping to a Sync that never comes.
TEST_F(StatementsTest, DeallocateInAFailedTransactionIsAnswered) {
  FakeClient client = house.Connect();
  house.Ask(client, Parse("s", "select") + Sync());
  Occupy();
  house.Ask(client, Query("begin; fail"));

  EXPECT_EQ(house.Ask(client, Query("deallocate s")), "E:25P02 Z:E");

  EXPECT_EQ(house.Ask(client, Query("rollback")), "C:ROLLBACK Z:I");
  EXPECT_EQ(house.Ask(client, Use("s")), "2 D C:SELECT 1 Z:I");
}

// The same before anybody knows that the transaction has failed.
TEST_F(StatementsTest, DeallocateSentAlongWithTheFailureIsAnswered) {
  FakeClient client = house.Connect();
  house.Ask(client, Parse("s", "select") + Sync());
  Occupy();

  EXPECT_EQ(house.Ask(client, Query("begin; fail") + Query("deallocate s") + Query("rollback")),
            "C:BEGIN E:22012 Z:E E:25P02 Z:E C:ROLLBACK Z:I");

  EXPECT_EQ(house.Ask(client, Parse("t", "select") + Sync() + Query("deallocate t")),
            "1 Z:I C:DEALLOCATE Z:I");
}

TEST_F(StatementsTest, DeallocateThatFailsLeavesTheStatementToOthers) {
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(one, Parse("s", "select") + Sync());
  house.Ask(two, Parse("s", "select") + Sync());
  house.Ask(one, Query("begin; fail"));
  house.Ask(one, Query("deallocate s"));
  house.Ask(one, Query("rollback"));

  EXPECT_EQ(house.Ask(two, Use("s")), "2 D C:SELECT 1 Z:I");
  EXPECT_EQ(house.Ask(two, Parse("t", "select") + Use("t")), "1 2 D C:SELECT 1 Z:I");
}

// A row description cut by a read: the answer that we give ourselves comes behind it, not inside.
TEST_F(StatementsTest, KnownAnswerNeverStandsInsideAMessageOfTheServer) {
  FakeClient client = house.Connect();
  house.Ask(client, Parse("s", "select") + Sync());
  house.connection(0).SendInPieces(3);
  client.Send(DescribeStatement("s") + Parse("t", "select") + CloseStatement("t") + Sync());
  std::string answers;

  for (int i = 0; i < 10; ++i) {
    house.Settle();
    answers += client.Receive();
  }

  EXPECT_EQ(Describe(answers), "t T 1 3 Z:I");
}

TEST_F(StatementsTest, NamesPassUnchangedWhenTheFeatureIsOff) {
  House plain([](config::Settings& settings) { settings.max_prepared_statements = 0; });
  FakeClient client = plain.Connect();

  EXPECT_EQ(plain.Ask(client, Parse("s", "select") + Use("s")), "1 2 D C:SELECT 1 Z:I");

  EXPECT_THAT(plain.Seen(0), ElementsAre("P s select", "B s", "E", "S"));
}

}  // namespace
}  // namespace pgvalet::session

// Cancel requests: to the right backend, and never to the next client.
#include <gmock/gmock.h>

#include "house.h"
#include "wire/body_reader.h"

namespace pgvalet::session {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct CancelTest : testing::Test {
  struct Client {
    FakeClient end;
    std::string cancel_request;
  };

  Client Connect() {
    FakeClient client = house.ConnectOnly(Startup("mia", "shop"));
    const std::string welcome = client.Receive();
    // BackendKeyData stands before the last message, ReadyForQuery.
    const std::string key = welcome.substr(welcome.size() - 6 - 8, 8);
    std::string request;
    wire::AppendCancelRequest(request, wire::LoadU32(key.data()), key.substr(4));
    return {std::move(client), std::move(request)};
  }
  void Cancel(const std::string& request) {
    FakeClient messenger = house.ConnectOnly(request);
    EXPECT_EQ(messenger.Receive(), "");
    EXPECT_TRUE(messenger.closed());
  }

  House house;
};

TEST_F(CancelTest, EndsTheQueryOfItsClient) {
  Client client = Connect();
  house.Ask(client.end, Query("sleep"));

  Cancel(client.cancel_request);

  EXPECT_THAT(house.server->cancels, ElementsAre(house.connection(0).pid()));
  EXPECT_EQ(client.end.Answers(), "E:57014 Z:I");
  EXPECT_EQ(house.pool().counters().servers_idle.value(), 1);
}

TEST_F(CancelTest, WithAWrongSecretDoesNothing) {
  Client client = Connect();
  house.Ask(client.end, Query("sleep"));
  std::string wrong = client.cancel_request;
  wrong.back() = static_cast<char>(wrong.back() ^ 1);

  Cancel(wrong);

  EXPECT_THAT(house.server->cancels, IsEmpty());
  EXPECT_EQ(client.end.Answers(), "");
}

TEST_F(CancelTest, OfAClientWithoutAQueryIsNotPassedOn) {
  Client idle = Connect(), busy = Connect();
  house.Ask(busy.end, Query("sleep"));

  Cancel(idle.cancel_request);

  EXPECT_THAT(house.server->cancels, IsEmpty());
}

TEST_F(CancelTest, BetweenTwoStatementsOfATransactionIsNotPassedOn) {
  Client client = Connect();
  house.Ask(client.end, Query("begin"));

  Cancel(client.cancel_request);

  EXPECT_THAT(house.server->cancels, IsEmpty());
}

TEST_F(CancelTest, HoldsTheServerBackUntilItIsDone) {
  Client one = Connect(), two = Connect();
  house.Ask(one.end, Query("sleep"));
  house.server->HoldCancels();
  Cancel(one.cancel_request);
  EXPECT_EQ(one.end.Answers(), "E:57014 Z:I");

  // The request might still hit whoever has the connection.
  EXPECT_EQ(house.Ask(two.end, Query("select")), "");
  EXPECT_EQ(house.pool().counters().servers_canceling.value(), 1);
  house.server->ReleaseCancels();
  house.Settle();

  EXPECT_EQ(two.end.Answers(), "T D C:SELECT 1 Z:I");
  EXPECT_EQ(house.server->connections.size(), 1u);
}

TEST_F(CancelTest, OfAWaitingClientIsAnsweredInItsPlace) {
  Client holder = Connect(), waiter = Connect();
  house.Ask(holder.end, Query("begin"));
  house.Ask(waiter.end, Query("select"));

  Cancel(waiter.cancel_request);

  EXPECT_EQ(waiter.end.Answers(), "E:57014 Z:I");
  EXPECT_EQ(house.pool().counters().clients_waiting.value(), 0);
  house.Ask(holder.end, Query("commit"));
  EXPECT_EQ(house.Ask(waiter.end, Query("select 2")), "T D D C:SELECT 2 Z:I");
}

}  // namespace
}  // namespace pgvalet::session

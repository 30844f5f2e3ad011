// Who hears what, what the server is asked, and barriers.
#include "listening.h"

namespace pgvalet::notify {
namespace {

using SubscriptionTest = ListeningTest;

TEST_F(SubscriptionTest, ClientsOfADatabaseShareOneConnectionAndTheBytes) {
  Client& mia = NewClient("mia");
  Client& ben = NewClient("ben");
  std::vector<const char*> bytes;
  mia.on_event = ben.on_event = [&](const Event& event) {
    if (const auto* one = std::get_if<Notification>(&event)) {
      bytes.push_back(one->message().data());
    }
  };
  Move(mia, {"a"});
  Move(ben, {"a"});

  Notify("a", "1");
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("a=1"));
  EXPECT_THAT(ben.Take(), ElementsAre("a=1"));
  ASSERT_EQ(bytes.size(), 2u);
  EXPECT_EQ(bytes[0], bytes[1]);
  EXPECT_EQ(server->open(), 1u);
  EXPECT_EQ(counters().clients.value(), 2);
  EXPECT_EQ(counters().channels.value(), 1);
  EXPECT_EQ(counters().notifications.value(), 1u);
  EXPECT_EQ(counters().deliveries.value(), 2u);
}

TEST_F(SubscriptionTest, DatabasesHaveTheirOwn) {
  Client& mia = NewClient("mia", "shop");
  Client& ben = NewClient("mia", "archive");
  Move(mia, {"a"});
  Move(ben, {"a"});

  EXPECT_EQ(server->open(), 2u);
  EXPECT_NE(mia.marker_channel, ben.marker_channel);
}

TEST_F(SubscriptionTest, ConnectionSaysWhoItIs) {
  Client& mia = NewClient();
  Move(mia, {"a"});

  const std::string& startup = connection().startup();
  EXPECT_NE(startup.find(std::string("user\0mia\0database\0shop\0", 23)), std::string::npos);
  EXPECT_NE(startup.find("pgvaletd listener"), std::string::npos);
}

TEST_F(SubscriptionTest, ChannelIsListenedToOnceAndUnlistenedByTheLast) {
  Client& mia = NewClient();
  Client& ben = NewClient();
  Move(mia, {"a"});
  Move(ben, {"a"});
  connection().TakeSeen();

  mia.subscriber->Unsubscribe({"a"});
  Settle();
  EXPECT_THAT(connection().TakeSeen(), IsEmpty());
  ben.subscriber->Unsubscribe({"a"});
  Settle();

  EXPECT_THAT(connection().TakeSeen(), ElementsAre("UNLISTEN \"a\""));
  EXPECT_EQ(counters().channels.value(), 0);
}

TEST_F(SubscriptionTest, NothingIsDeliveredFromUnsubscribeOn) {
  Client& mia = NewClient();
  Move(mia, {"a", "b"});
  Notify("a", "in flight");
  Notify("b", "1");
  for (int i = 0; i < 5; ++i) hub_loop.Turn();

  mia.subscriber->Unsubscribe({"a"});
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("b=1"));
}

TEST_F(SubscriptionTest, ChannelThatComesBackIsListenedToAgain) {
  Client& mia = NewClient();
  Move(mia, {"a"});
  connection().Hold();

  mia.subscriber->UnsubscribeAll();
  mia.LeaseListens("a");
  mia.subscriber->Subscribe({"a"});
  Settle();
  connection().Release();
  Settle();
  Mark(mia);
  mia.ReadLease();
  Settle();
  Notify("a", "1");
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("subscribed", "marked", "a=1"));
}

TEST_F(SubscriptionTest, NamesWithAnyBytesAreListenedTo) {
  const std::string odd = "Ünï \"quoted\"; 'x'\\";
  Client& mia = NewClient();
  Move(mia, {odd});

  Notify(odd, "1");
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre(odd + "=1"));
}

TEST_F(SubscriptionTest, ManyChannelsCostOneRoundTrip) {
  Client& mia = NewClient();
  Client& ben = NewClient();
  Move(mia, {"a"});
  connection().TakeSeen();
  connection().Hold();

  mia.subscriber->Subscribe({"b", "c"});
  ben.subscriber->Subscribe({"c", "d"});
  Settle();
  EXPECT_THAT(mia.Take(), IsEmpty());
  connection().Release();  // reads what has been sent so far
  server_loop.Turn();

  EXPECT_THAT(connection().TakeSeen(), ElementsAre("LISTEN \"b\"", "LISTEN \"c\"", "LISTEN \"d\""));
  Settle();
  EXPECT_THAT(mia.Take(), ElementsAre("subscribed"));
  EXPECT_THAT(ben.Take(), ElementsAre("subscribed"));
}

TEST_F(SubscriptionTest, BarrierIsPassedBehindWhatWasCommittedBefore) {
  Client& mia = NewClient();
  Move(mia, {"a"});

  Notify("a", "1");
  mia.subscriber->Barrier();
  Settle();
  Notify("a", "2");
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("a=1", "passed", "a=2"));
}

TEST_F(SubscriptionTest, BarriersOfManyClientsAreOneTransaction) {
  Client& mia = NewClient();
  Client& ben = NewClient();
  Move(mia, {"a"});
  Move(ben, {"a"});
  connection().TakeSeen();

  mia.subscriber->Barrier();
  mia.subscriber->Barrier();
  ben.subscriber->Barrier();
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("passed", "passed"));
  EXPECT_THAT(ben.Take(), ElementsAre("passed"));
  const Lines seen = connection().TakeSeen();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].find("NOTIFY", 1), std::string::npos);
}

TEST_F(SubscriptionTest, BarrierWithoutChannelsIsPassedAtOnce) {
  Client& mia = NewClient();

  mia.subscriber->Barrier();
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("passed"));
  EXPECT_THAT(server->connections, IsEmpty());
}

TEST_F(SubscriptionTest, BarrierInTheMiddleOfAMoveComesBehindIt) {
  Client& mia = NewClient();
  Subscribe(mia, {"a"});
  mia.LeaseListens(mia.marker_channel);
  mia.subscriber->Mark();
  mia.subscriber->Barrier();
  Settle();
  EXPECT_THAT(mia.Take(), ElementsAre("subscribed"));
  mia.ReadLease();
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("marked", "passed"));
}

TEST_F(SubscriptionTest, PausedClientGetsEverythingLater) {
  Client& mia = NewClient();
  Move(mia, {"a"});
  mia.subscriber->Pause();
  for (int i = 0; i < 3; ++i) Notify("a", std::to_string(i));
  Settle();
  EXPECT_THAT(mia.Take(), IsEmpty());
  mia.on_event = [&](const Event& event) {
    if (Describe(event) == "a=1") mia.subscriber->Pause();
  };

  mia.subscriber->Resume();
  Settle();
  EXPECT_THAT(mia.Take(), ElementsAre("a=0", "a=1"));
  mia.subscriber->Resume();
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("a=2"));
}

TEST_F(SubscriptionTest, ClientThatLeavesWithEventsInFlightGetsNone) {
  Client& mia = NewClient();
  Client& ben = NewClient();
  Move(mia, {"a"});
  Move(ben, {"a"});
  Notify("a", "1");
  for (int i = 0; i < 5; ++i) hub_loop.Turn();

  mia.subscriber.reset();
  Settle();

  EXPECT_THAT(mia.Take(), IsEmpty());
  EXPECT_THAT(ben.Take(), ElementsAre("a=1"));
  EXPECT_EQ(counters().clients.value(), 1);
}

TEST_F(SubscriptionTest, ClientMayLeaveFromInsideAnEvent) {
  Client& mia = NewClient();
  Move(mia, {"a"});
  mia.on_event = [&](const Event&) { mia.subscriber.reset(); };

  Notify("a", "1");
  Notify("a", "2");
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("a=1"));
  EXPECT_EQ(counters().clients.value(), 0);
}

TEST_F(SubscriptionTest, ConnectionLingersForTheNextClient) {
  Client& mia = NewClient();
  Move(mia, {"a"});
  mia.subscriber.reset();
  Settle();
  EXPECT_EQ(server->open(), 1u);

  Client& ben = NewClient();
  Move(ben, {"b"});

  EXPECT_EQ(server->connections.size(), 1u);
}

TEST_F(SubscriptionTest, ConnectionNobodyNeedsIsClosed) {
  options.linger = Duration::zero();
  Client& mia = NewClient();
  Move(mia, {"a"});
  mia.subscriber.reset();
  Settle();

  EXPECT_EQ(server->open(), 0u);
  EXPECT_EQ(counters().connections.value(), 0);
  Client& ben = NewClient();
  Move(ben, {"a"});
  EXPECT_EQ(server->open(), 1u);
}

TEST_F(SubscriptionTest, ClientOnTheHubsOwnLoopIsServedInTheSameWay) {
  Client& mia = NewClientOn(hub_loop);
  Move(mia, {"a"});

  Notify("a", "1");
  mia.subscriber->Barrier();
  EXPECT_THAT(mia.Take(), IsEmpty());
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("a=1", "passed"));
}

}  // namespace
}  // namespace pgvalet::notify

// What clients learn when something does not work.
#include "listening.h"
#include "wire/message_builder.h"

namespace pgvalet::notify {
namespace {

using FailureTest = ListeningTest;

TEST_F(FailureTest, ClientsOfALostConnectionAreToldWhy) {
  Client& mia = NewClient();
  Client& ben = NewClient();
  Move(mia, {"a"});
  Move(ben, {"b"});

  connection().Terminate("57P01");
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("lost 57P01"));
  EXPECT_THAT(ben.Take(), ElementsAre("lost 57P01"));
  EXPECT_TRUE(mia.subscriber->lost());
  EXPECT_EQ(server->open(), 0u);
  EXPECT_EQ(counters().clients.value(), 0);
  EXPECT_EQ(counters().channels.value(), 0);
  EXPECT_EQ(counters().clients_lost.value(), 2u);
}

TEST_F(FailureTest, ConnectionThatBreaksWithoutAWordIsClosed) {
  Client& mia = NewClient();
  Move(mia, {"a"});

  connection().Close();
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("lost closed"));
}

TEST_F(FailureTest, NotificationsBeforeTheEndAreDelivered) {
  Client& mia = NewClient();
  Move(mia, {"a"});

  Notify("a", "1");
  connection().Terminate("57P01");
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("a=1", "lost 57P01"));
}

TEST_F(FailureTest, MoveThatWasNotAnsweredIsAnsweredByTheNextConnection) {
  Client& mia = NewClient();
  Client& ben = NewClient();
  Move(mia, {"a"});
  connection().Hold();
  Subscribe(ben, {"a", "b"});

  connection().Terminate("57P01");
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("lost 57P01"));
  EXPECT_THAT(ben.Take(), ElementsAre("subscribed"));
  Mark(ben);
  ben.ReadLease();
  Notify("b", "1");
  Settle();
  EXPECT_THAT(ben.Take(), ElementsAre("marked", "b=1"));
  EXPECT_EQ(counters().connects.value(), 2u);
  EXPECT_THAT(connection(1).channels(), UnorderedElementsAre("a", "b", ben.marker_channel));
}

TEST_F(FailureTest, MoveThatWasAnsweredIsRefusedAndNothingIsMissed) {
  Client& mia = NewClient();
  Subscribe(mia, {"a"});
  Mark(mia);
  Notify("a", "1");
  connection().Terminate("57P01");
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("subscribed", "refused 57P01"));
  EXPECT_FALSE(mia.subscriber->lost());
  mia.ReadLease();  // with a marker that means nothing any more
  EXPECT_THAT(mia.Take(), ElementsAre("lease a=1"));
  Move(mia, {"a"});
  Notify("a", "2");
  Settle();
  EXPECT_THAT(mia.Take(), ElementsAre("a=2"));
}

TEST_F(FailureTest, ClientThatHasReadItsMarkerIsLost) {
  Client& mia = NewClient();
  Subscribe(mia, {"a"});
  mia.LeaseListens(mia.marker_channel);
  connection().Hold();
  mia.subscriber->Mark();
  Settle();
  connection().Release();
  mia.ReadLease();
  mia.Take();
  connection().Terminate("57P01");
  Settle();

  // The hub may have read the marker before the end.
  EXPECT_EQ(mia.Take().back(), "lost 57P01");
}

TEST_F(FailureTest, ServerThatIsNotThereIsTriedAgain) {
  server->refuse_sqlstate = "57P03";
  Client& mia = NewClient();
  Subscribe(mia, {"a"});
  EXPECT_THAT(mia.Take(), IsEmpty());
  EXPECT_GT(counters().connect_failures.value(), 1u);

  server->refuse_sqlstate.reset();
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("subscribed"));
}

TEST_F(FailureTest, NobodyLeftEndsTheTrying) {
  server->refuse_sqlstate = "57P03";
  Client& mia = NewClient();
  Subscribe(mia, {"a"});
  mia.subscriber.reset();
  Settle();
  const std::size_t tried = server->connections.size();

  Settle();

  EXPECT_EQ(server->connections.size(), tried);
  EXPECT_EQ(counters().clients.value(), 0);
}

TEST_F(FailureTest, UserWhoIsNotLetInIsRefused) {
  server->refuse_sqlstate = "28P01";
  Client& mia = NewClient();
  Subscribe(mia, {"a"});

  EXPECT_THAT(mia.Take(), ElementsAre("refused 28P01"));
  EXPECT_EQ(server->connections.size(), 1u);
  server->refuse_sqlstate.reset();
  Move(mia, {"a"});
  Notify("a", "1");
  Settle();
  EXPECT_THAT(mia.Take(), ElementsAre("a=1"));
}

TEST_F(FailureTest, ListenThatFailsConcernsThoseWhoAskedForIt) {
  server->fail_listen["bad"] = "42501";
  Client& mia = NewClient();
  Client& ben = NewClient();
  Client& eva = NewClient();
  Move(mia, {"a"});

  mia.subscriber->Subscribe({"b", "bad"});
  ben.subscriber->Subscribe({"bad"});
  eva.subscriber->Subscribe({"b"});
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("refused 42501"));
  EXPECT_THAT(ben.Take(), ElementsAre("refused 42501"));
  EXPECT_THAT(eva.Take(), ElementsAre("subscribed"));
  Notify("a", "still here");
  Settle();
  EXPECT_THAT(mia.Take(), ElementsAre("a=still here"));
}

TEST_F(FailureTest, StandbyRefusesEverybody) {
  server->fail_listen["*"] = "25006";
  Client& mia = NewClient();
  Client& ben = NewClient("ben");
  mia.subscriber->Subscribe({"a"});
  ben.subscriber->Subscribe({"b"});
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("refused 25006"));
  EXPECT_THAT(ben.Take(), ElementsAre("refused 25006"));
  EXPECT_EQ(server->open(), 0u);
}

TEST_F(FailureTest, NamesNoChannelCanHaveAreRefused) {
  Client& mia = NewClient();
  for (const std::string& name : {std::string(), std::string(64, 'x'), std::string("a\0b", 3)}) {
    Subscribe(mia, {name});
    EXPECT_THAT(mia.Take(), ElementsAre("refused ")) << name;
  }
  Move(mia, {std::string(63, 'x')});
  EXPECT_EQ(mia.subscriber->channels().size(), 1u);
}

TEST_F(FailureTest, MarkerThatCannotBeSentRefusesTheMoveAndPassesBarriers) {
  Client& mia = NewClient();
  Client& ben = NewClient();
  Move(mia, {"a"});
  Subscribe(ben, {"a"});
  server->fail_notify = "53400";

  Mark(ben);
  mia.subscriber->Barrier();
  Settle();

  EXPECT_THAT(ben.Take(), ElementsAre("subscribed", "refused 53400"));
  EXPECT_THAT(mia.Take(), ElementsAre("passed"));
  Notify("a", "1");
  Settle();
  EXPECT_THAT(mia.Take(), ElementsAre("a=1"));
}

TEST_F(FailureTest, BarrierOfAClientThatGoesOnIsAnsweredAfterALoss) {
  Client& mia = NewClient();
  Move(mia, {"a"});
  connection().Hold();
  mia.subscriber->Barrier();
  mia.subscriber->UnsubscribeAll();
  Settle();

  connection().Terminate("57P01");
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("passed"));
  EXPECT_FALSE(mia.subscriber->lost());
}

TEST_F(FailureTest, ClientThatDoesNotTakeItsNotificationsIsLost) {
  options.max_undelivered_bytes = 20000;
  Client& mia = NewClient();
  Client& ben = NewClient();
  Move(mia, {"a"});
  Move(ben, {"a"});
  mia.subscriber->Pause();

  for (int i = 0; i < 4; ++i) {
    Notify("a", std::string(7000, 'x'));
    Settle();
  }

  EXPECT_THAT(mia.Take(), ElementsAre("lost limit"));
  EXPECT_EQ(ben.Take().size(), 4u);
  EXPECT_EQ(counters().clients.value(), 1);
}

TEST_F(FailureTest, MalformedBytesEndTheConnection) {
  const auto message = [](char type, std::string_view body) {
    std::string out;
    wire::AppendMessage(out, type, wire::AsBytes(body));
    return out;
  };
  const std::string ready = message('Z', "I");
  for (const std::string& bytes : {message('A', "abcdchannel"), message('?', ""), ready,
                                   std::string("A\0\0\0\1", 5), std::string("A\x7f\0\0\0", 5)}) {
    Client& mia = NewClient();
    Move(mia, {"a"});

    server->connections.back()->SendRaw(bytes);
    Settle();

    EXPECT_THAT(mia.Take(), ElementsAre("lost protocol"));
    EXPECT_EQ(server->open(), 0u);
  }
}

TEST_F(FailureTest, DatabaseThatIsNotInTheSettingsIsRefused) {
  Client& mia = NewClient();
  directory->SetSettings(std::make_shared<const config::Settings>());
  Subscribe(mia, {"a"});

  EXPECT_THAT(mia.Take(), ElementsAre("refused "));
}

}  // namespace
}  // namespace pgvalet::notify

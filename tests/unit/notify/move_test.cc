// Moves of channels from a lease to the hub: each notification once, in order, without a gap.
#include "listening.h"

namespace pgvalet::notify {
namespace {

using MoveTest = ListeningTest;

TEST_F(MoveTest, EveryNotificationComesOnceAndInOrder) {
  Client& mia = NewClient();
  mia.LeaseListens("a");
  Notify("a", "before subscribing");
  Subscribe(mia, {"a"});
  Notify("a", "while the hub listens");
  Settle();
  Mark(mia);
  Notify("a", "behind the marker");
  Settle();

  mia.ReadLease();
  Settle();
  Notify("a", "from the hub");
  mia.ReadLease();
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("subscribed", "lease a=before subscribing",
                                      "lease a=while the hub listens", "marked",
                                      "a=behind the marker", "a=from the hub"));
}

TEST_F(MoveTest, LeaseThatIsAheadOfTheHubLosesNothing) {
  Client& mia = NewClient();
  Subscribe(mia, {"a"});
  mia.LeaseListens(mia.marker_channel);
  connection().Hold();
  mia.subscriber->Mark();
  Settle();
  connection().Release();
  server_loop.Turn();
  Notify("a", "1");

  mia.ReadLease();  // the hub has not turned
  EXPECT_THAT(mia.Take(), ElementsAre("subscribed"));
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("marked", "a=1"));
}

TEST_F(MoveTest, HubThatIsAheadOfTheLeaseWaitsForIt) {
  Client& mia = NewClient();
  Subscribe(mia, {"a"});
  Mark(mia);
  Notify("a", "1");
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("subscribed"));
  EXPECT_TRUE(mia.subscriber->moving());
  mia.ReadLease();
  EXPECT_THAT(mia.Take(), IsEmpty());  // never from inside a call
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("marked", "a=1"));
  EXPECT_FALSE(mia.subscriber->moving());
}

TEST_F(MoveTest, ChannelsAlreadyMovedAreDeliveredMeanwhile) {
  Client& mia = NewClient();
  Move(mia, {"a"});

  mia.LeaseListens("b");
  Subscribe(mia, {"b"});
  Notify("a", "1");
  Notify("b", "1");
  Settle();
  EXPECT_THAT(mia.Take(), ElementsAre("subscribed", "a=1"));
  Mark(mia);
  mia.ReadLease();
  Settle();
  Notify("a", "2");
  Notify("b", "2");
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("lease b=1", "marked", "a=2", "b=2"));
}

TEST_F(MoveTest, LeaseThatListensToAMovedChannelDoesNotDouble) {
  Client& mia = NewClient();
  Move(mia, {"a"});

  mia.LeaseListens("a");
  Notify("a", "1");
  mia.ReadLease();
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("a=1"));
}

TEST_F(MoveTest, MarkersOfOthersAreNobodysNotifications) {
  Client& mia = NewClient();
  Client& ben = NewClient();
  Subscribe(mia, {"a"});
  Subscribe(ben, {"a"});
  mia.LeaseListens(mia.marker_channel);
  Mark(ben);
  Notify("a", "1");
  mia.ReadLease();
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("subscribed", "lease a=1"));
  EXPECT_TRUE(mia.subscriber->moving());
  ben.ReadLease();
  Settle();
  EXPECT_THAT(ben.Take(), ElementsAre("subscribed", "marked", "a=1"));
}

TEST_F(MoveTest, ForgedMarkerDoesNothing) {
  Client& mia = NewClient();
  Subscribe(mia, {"a"});
  mia.LeaseListens(mia.marker_channel);
  connection().Hold();
  mia.subscriber->Mark();
  Settle();

  Notify(mia.marker_channel, "1.1");  // not of the hub's backend
  Notify("a", "1");
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("subscribed"));
}

TEST_F(MoveTest, ChannelUnlistenedInTheMiddleIsLeftOut) {
  Client& mia = NewClient();
  Subscribe(mia, {"a", "b"});
  mia.subscriber->Unsubscribe({"a"});
  Mark(mia);
  mia.ReadLease();
  Settle();
  Notify("a", "1");
  Notify("b", "1");
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("subscribed", "marked", "b=1"));
  EXPECT_THAT(connection().channels(), UnorderedElementsAre("b", mia.marker_channel));
}

TEST_F(MoveTest, MoveOfNothingLeftStillEnds) {
  Client& mia = NewClient();
  Subscribe(mia, {"a"});
  mia.subscriber->UnsubscribeAll();
  Mark(mia);
  mia.ReadLease();
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("subscribed", "marked"));
  EXPECT_EQ(counters().clients.value(), 0);
}

TEST_F(MoveTest, MoveThatIsCalledOffLeavesItsChannelsOnTheLease) {
  Client& mia = NewClient();
  Move(mia, {"a"});
  Subscribe(mia, {"b"});
  Mark(mia);

  EXPECT_TRUE(mia.subscriber->CallOff());
  EXPECT_FALSE(mia.subscriber->moving());
  mia.ReadLease();  // with its marker, too late
  Notify("b", "1");
  mia.ReadLease();
  Notify("a", "1");
  mia.subscriber->Barrier();
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("subscribed", "lease b=1", "a=1", "passed"));
  Move(mia, {"b"});
  Notify("b", "2");
  Settle();
  EXPECT_THAT(mia.Take(), ElementsAre("b=2"));
}

TEST_F(MoveTest, MoveWhoseMarkerTheLeaseHasShownIsNotCalledOff) {
  Client& mia = NewClient();
  EXPECT_FALSE(NewClient().subscriber->CallOff());
  Subscribe(mia, {"a"});
  Mark(mia);
  mia.ReadLease();

  EXPECT_FALSE(mia.subscriber->CallOff());
  Settle();

  EXPECT_THAT(mia.Take(), ElementsAre("subscribed", "marked"));
}

}  // namespace
}  // namespace pgvalet::notify

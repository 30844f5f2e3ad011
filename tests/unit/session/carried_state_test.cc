// What the extension says a session carries: moved with its client, or the reason to stay.
#include <gmock/gmock.h>

#include "house.h"

namespace pgvalet::session {
namespace {

using testing::ElementsAre;

std::string Set(const std::string& name, const std::string& value) {
  return Query("set \"" + name + "\"='" + value + "'");
}

struct CarriedStateTest : testing::Test {
  // A house whose servers have the extension.
  House& Open(const House::Change& change = {}) {
    house_ = std::make_unique<House>(change);
    house_->server->with_extension = true;
    return *house_;
  }
  static House::Change Pool(int size) {
    return [size](config::Settings& settings) { settings.default_pool_size = size; };
  }
  std::unique_ptr<House> house_;
};

TEST_F(CarriedStateTest, MovesInOneMessageAheadOfTheRequest) {
  House& house = Open();
  FakeClient one = house.Connect(), two = house.Connect();
  EXPECT_EQ(house.Ask(one, Set("app.it", "X")), "C:SET Z:I");
  house.Seen(0);

  EXPECT_EQ(house.Ask(two, Query("select")), "T D C:SELECT 1 Z:I");

  EXPECT_THAT(house.Seen(0), ElementsAre("F restore ", "Q select"));
  EXPECT_EQ(house.Ask(one, Query("select")), "T D C:SELECT 1 Z:I");
  EXPECT_THAT(house.Seen(0), ElementsAre("F restore s6:app.it1:X", "Q select"));
  EXPECT_EQ(house.Ask(one, Query("select")), "T D C:SELECT 1 Z:I");
  EXPECT_THAT(house.Seen(0), ElementsAre("Q select"));
}

TEST_F(CarriedStateTest, EqualOneIsNeverRestored) {
  House& house = Open();
  FakeClient one = house.Connect("-c app.it=X"), two = house.Connect("-c app.it=X");
  house.Ask(one, Query("select"));
  house.Seen(0);

  house.Ask(two, Query("select"));
  house.Ask(one, Query("select"));

  EXPECT_THAT(house.Seen(0), ElementsAre("Q select", "Q select"));
  EXPECT_EQ(house.connection(0).backend.startup_settings().at("app.it"), "X");
}

TEST_F(CarriedStateTest, OfARolledBackTransactionIsNotKept) {
  House& house = Open();
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(one, Query("begin"));
  house.Ask(one, Set("app.it", "X"));
  house.Ask(one, Query("rollback"));
  house.Seen(0);

  house.Ask(two, Query("select"));

  EXPECT_THAT(house.Seen(0), ElementsAre("Q select"));
}

TEST_F(CarriedStateTest, ClientNeverHearsOfIt) {
  House& house = Open();
  FakeClient one = house.Connect();

  EXPECT_EQ(house.Ask(one, Query("pin")), "C:DONE Z:I");
  EXPECT_EQ(house.Ask(one, Query("begin")), "C:BEGIN Z:T");
  EXPECT_EQ(house.Ask(one, Query("commit")), "C:COMMIT Z:I");
}

TEST_F(CarriedStateTest, ReportCutAnywhereIsUnderstood) {
  House& house = Open();
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(one, Query("select"));
  house.Seen(0);
  house.connection(0).SendInPieces(1);

  one.Send(Set("app.it", "X"));
  for (int i = 0; i < 40; ++i) house.Settle();
  house.connection(0).SendInPieces(0);

  EXPECT_EQ(one.Answers(), "C:SET Z:I");
  house.Ask(two, Query("select"));
  house.Ask(one, Query("select"));
  EXPECT_EQ(house.connection(0).backend.settings().at("app.it"), "X");
}

TEST_F(CarriedStateTest, ThatCannotBeRestoredFailsTheRequestAndEndsTheServerConnection) {
  House& house = Open();
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(one, Set(std::string(FakeBackend::kUnrestorable), "X"));
  house.Ask(two, Query("select"));
  house.Seen(0);

  EXPECT_EQ(house.Ask(one, Query("select")), "E:22023 Z:I");

  EXPECT_FALSE(one.closed());
  EXPECT_TRUE(house.connection(0).gone());
  EXPECT_EQ(house.Ask(two, Query("select")), "T D C:SELECT 1 Z:I");
}

// ---- pins ----

TEST_F(CarriedStateTest, ThatCannotMoveKeepsItsServer) {
  House& house = Open(Pool(2));
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(one, Query("pin"));
  house.Ask(two, Query("select"));
  house.Seen(0);
  house.Seen(1);

  for (int i = 0; i < 3; ++i) house.Ask(two, Query("select"));
  house.Ask(one, Query("begin"));
  house.Ask(one, Query("rollback"));

  EXPECT_THAT(house.Seen(0), ElementsAre("Q begin", "Q rollback"));
  EXPECT_EQ(house.pool().counters().clients_pinned.value(), 1);
  const std::vector<stats::PinnedClient> pins = house.registry.pins().List();
  ASSERT_EQ(pins.size(), 1u);
  EXPECT_EQ(pins[0].reasons.at(0).reason, "temporary_objects");
  EXPECT_EQ(pins[0].reasons.at(0).objects, 1);
  EXPECT_EQ(pins[0].server_pid, house.connection(0).pid());
}

TEST_F(CarriedStateTest, PinLastsUntilTheTransactionThatEndsIt) {
  House& house = Open();
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(one, Query("pin"));
  EXPECT_EQ(house.Ask(two, Query("select")), "");

  EXPECT_EQ(house.Ask(one, Query("unpin")), "C:DONE Z:I");

  EXPECT_EQ(two.Answers(), "T D C:SELECT 1 Z:I");
  EXPECT_EQ(house.pool().counters().clients_pinned.value(), 0);
  EXPECT_TRUE(house.registry.pins().List().empty());
}

TEST_F(CarriedStateTest, PinOfARolledBackTransactionIsNone) {
  House& house = Open();
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(one, Query("begin"));
  house.Ask(one, Query("pin"));
  house.Ask(one, Query("rollback"));

  EXPECT_EQ(house.Ask(two, Query("select")), "T D C:SELECT 1 Z:I");
}

TEST_F(CarriedStateTest, WhatAClientLeavesBehindIsDiscarded) {
  House& house = Open();
  {
    FakeClient one = house.Connect();
    house.Ask(one, Query("pin"));
    house.Seen(0);
    one.Close();
    house.Settle();
  }
  EXPECT_THAT(house.Seen(0), ElementsAre("Q DISCARD ALL"));
  FakeClient two = house.Connect();

  EXPECT_EQ(house.Ask(two, Query("select")), "T D C:SELECT 1 Z:I");
  EXPECT_FALSE(house.connection(0).gone());
  EXPECT_EQ(house.pool().counters().clients_pinned.value(), 0);
}

TEST_F(CarriedStateTest, WhatCannotBeDiscardedGoesWithTheServerConnection) {
  House& house = Open([](config::Settings& settings) { settings.server_reset_query = "select"; });
  {
    FakeClient one = house.Connect();
    house.Ask(one, Query("pin"));
    one.Close();
    house.Settle();
  }

  EXPECT_TRUE(house.connection(0).gone());
}

TEST_F(CarriedStateTest, BeyondTheLimitTheClientThatWouldHoldOneMoreIsTold) {
  House& house = Open([](config::Settings& settings) {
    settings.default_pool_size = 2;
    settings.max_pinned_share_thousandths = 500;
    settings.pin_limit_action = config::PinLimitAction::kError;
  });
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(one, Query("pin"));

  EXPECT_EQ(house.Ask(two, Query("pin")), "C:DONE Z:I E:FATAL:53300");

  EXPECT_TRUE(two.closed());
  EXPECT_EQ(house.Ask(one, Query("select")), "T D C:SELECT 1 Z:I");
}

TEST_F(CarriedStateTest, BeyondTheLimitOnesThatHeldOneBeforeLetOthersPass) {
  House& house = Open([](config::Settings& settings) {
    settings.default_pool_size = 2;
    settings.max_pinned_share_thousandths = 500;
  });
  FakeClient one = house.Connect(), two = house.Connect(), three = house.Connect();
  house.Ask(two, Query("pin"));
  house.Ask(two, Query("unpin"));
  house.Ask(one, Query("pin"));

  EXPECT_EQ(house.Ask(two, Query("select")), "");  // a server is free, but not for it
  EXPECT_EQ(house.Ask(three, Query("select")), "T D C:SELECT 1 Z:I");
  house.Ask(one, Query("unpin"));

  EXPECT_EQ(two.Answers(), "T D C:SELECT 1 Z:I");
}

TEST_F(CarriedStateTest, PinnedClientIsEndedAtOnceWhenTheAgentStops) {
  House& house = Open();
  FakeClient one = house.Connect();
  house.Ask(one, Query("pin"));

  house.context().SetState(ServiceState::kFinishing);
  house.Settle();

  EXPECT_EQ(one.Answers(), "E:FATAL:57P01");
}

// ---- statements ----

TEST_F(CarriedStateTest, StatementsGoneUnseenAreNotBelievedInAnyMore) {
  House& house = Open();
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(two, Parse("s", "select 2") + Sync());

  EXPECT_EQ(house.Ask(one, Query("do deallocate all")), "C:DO Z:I");

  EXPECT_EQ(house.Ask(two, Bind("s") + Execute() + Sync()), "2 D D C:SELECT 2 Z:I");
}

}  // namespace
}  // namespace pgvalet::session

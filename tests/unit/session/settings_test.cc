// What a client expects of its session, on whichever server it has.
#include <gmock/gmock.h>

#include "house.h"

namespace pgvalet::session {
namespace {

using testing::ElementsAre;

std::string Set(const std::string& name, const std::string& value) {
  return Query("set \"" + name + "\"='" + value + "'");
}

TEST(SessionSettingsTest, AreRestoredInFrontOfTheRequestWhereTheyDiffer) {
  House house;
  FakeClient one = house.Connect(), two = house.Connect();
  EXPECT_EQ(house.Ask(one, Set("timezone", "X")), "C:SET S:timezone=X Z:I");
  house.Seen(0);

  EXPECT_EQ(house.Ask(two, Query("select")), "T D C:SELECT 1 Z:I");

  EXPECT_THAT(house.Seen(0), ElementsAre("Q RESET \"timezone\";", "Q select"));
  EXPECT_EQ(house.Ask(one, Query("select")), "T D C:SELECT 1 Z:I");
  EXPECT_THAT(house.Seen(0), ElementsAre("Q SET \"timezone\"=E'X';", "Q select"));
  EXPECT_EQ(house.Ask(one, Query("select")), "T D C:SELECT 1 Z:I");
  EXPECT_THAT(house.Seen(0), ElementsAre("Q select"));
}

TEST(SessionSettingsTest, OfARolledBackTransactionAreNotKept) {
  House house;
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(one, Query("begin"));
  house.Ask(one, Set("timezone", "X"));
  EXPECT_EQ(house.Ask(one, Query("rollback")), "C:ROLLBACK S:timezone=default Z:I");
  house.Ask(two, Query("select"));
  house.Ask(one, Query("select"));

  EXPECT_NE(house.connection(0).backend.settings().contains("timezone") &&
                house.connection(0).backend.settings().at("timezone") == "X",
            true);
}

TEST(SessionSettingsTest, OfTheStartupPacketAreSetOnTheServer) {
  House house;
  FakeClient client = house.Connect("-c timezone=Europe/Rome -c search_path=a,b");

  house.Ask(client, Query("select"));

  const FakeBackend::Settings& now = house.connection(0).backend.settings();
  EXPECT_EQ(now.at("timezone"), "Europe/Rome");
  EXPECT_EQ(now.at("search_path"), "a,b");
}

TEST(SessionSettingsTest, ServerIsAskedOnceForSettingsThatManyClientsBring) {
  House house;
  for (int i = 0; i < 3; ++i) {
    FakeClient client = house.Connect("-c timezone=Europe/Rome");
    house.Ask(client, Query("select"));
  }

  EXPECT_THAT(house.Seen(0), ElementsAre("Q SET \"timezone\"=E'Europe/Rome';", "Q select",
                                         "Q select", "Q select"));
}

TEST(SessionSettingsTest, PreferAServerThatCarriesThem) {
  House house([](config::Settings& settings) { settings.default_pool_size = 2; });
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(two, Query("begin"));
  house.Ask(one, Set("timezone", "X"));
  house.Ask(two, Query("commit"));  // the connection used last, but with other settings
  house.Seen(1);

  house.Ask(one, Query("select"));

  EXPECT_THAT(house.Seen(1), ElementsAre("Q select"));
}

TEST(SessionSettingsTest, ThatCannotBeRestoredEndTheSession) {
  House house;
  FakeClient one = house.Connect(), two = house.Connect();
  house.Ask(one, Set("timezone", "X"));
  house.Ask(two, Set("timezone", "Y"));
  house.connection(0).Hold();
  one.Send(Query("select"));
  house.Settle();
  std::string error;
  wire::AppendErrorResponse(error, {"ERROR", "22023", "invalid value"});
  house.connection(0).SendRaw(error);
  house.Settle();

  EXPECT_EQ(one.Answers(), "E:FATAL:22023");
  EXPECT_TRUE(one.closed());
  EXPECT_EQ(house.pool().counters().servers_idle.value(), 0);
}

TEST(SessionSettingsTest, ComeBackAfterDiscardAll) {
  House house;
  FakeClient one = house.Connect("-c timezone=X"), two = house.Connect();
  house.Ask(one, Query("discard all"));

  house.Ask(two, Query("select"));
  house.Ask(one, Query("select"));

  EXPECT_EQ(house.connection(0).backend.settings().count("timezone"), 1u);
}

}  // namespace
}  // namespace pgvalet::session

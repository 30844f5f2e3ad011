// One client after the other, requests there and answers back.
#include "house.h"

namespace pgvalet::session {
namespace {

TEST(RelayTest, QueryGoesThereAndItsAnswerComesBack) {
  House house;
  FakeClient client = house.Connect();

  EXPECT_EQ(house.Ask(client, Query("select 2")), "T D D C:SELECT 2 Z:I");

  EXPECT_EQ(house.server->open(), 1u);
  EXPECT_EQ(house.pool().counters().servers_idle.value(), 1);
}

}  // namespace
}  // namespace pgvalet::session

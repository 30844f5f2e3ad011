#include <gmock/gmock.h>

#include "pool/server_restore.h"
#include "wire/session_items.h"

namespace pgvalet::pool {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

struct RestoreTest : testing::Test {
  RestoreTest() : server(states.none()) {
    server.reported = std::make_unique<ReportedSession>("the-key");
    server.carried = states.none();
  }
  void HasExtension() { server.reported->Take(".v3:0.1m0:"); }
  wire::StateRef With(std::string_view name, std::string_view value) {
    return states.With(states.none(), name, value);
  }

  wire::StateStore states;
  ServerConnection server;
  std::string out;
};

TEST_F(RestoreTest, NothingToDoIsNoMessage) {
  EXPECT_FALSE(AppendRestore(out, server, *states.none()));
  HasExtension();
  EXPECT_FALSE(AppendRestore(out, server, *states.none()));
  EXPECT_THAT(out, IsEmpty());
}

TEST_F(RestoreTest, WithTheExtensionTheWholeStateGoesInOneFunctionCallWithTheKey) {
  HasExtension();

  EXPECT_TRUE(AppendRestore(out, server, *With("work_mem", "9MB")));

  EXPECT_THAT(out, StartsWith("F"));
  EXPECT_THAT(out, HasSubstr("pgvalet.session"));
  EXPECT_THAT(out, HasSubstr("the-key "));
  EXPECT_THAT(out, Not(HasSubstr("9MB")));  // base64: no conversion between encodings
}

TEST_F(RestoreTest, SequencesAloneAreAReason) {
  HasExtension();

  EXPECT_TRUE(AppendRestore(out, server, *states.none(), "L1:7"));
}

TEST_F(RestoreTest, WithoutTheExtensionTheDifferenceGoesAsSql) {
  server.carried = With("work_mem", "5MB");

  EXPECT_TRUE(AppendRestore(out, server, *With("timezone", "UTC")));

  EXPECT_THAT(out, StartsWith("Q"));
  EXPECT_THAT(out, HasSubstr("RESET \"work_mem\";"));
  EXPECT_THAT(out, HasSubstr("SET \"timezone\"=E'UTC';"));
}

TEST_F(RestoreTest, ReportedStateIsWhatTheConnectionCarries) {
  HasExtension();
  const wire::StateRef state = With("work_mem", "9MB");
  std::string report = ".";
  wire::AppendItem(report, wire::item::kState, {state->text});

  TakeReport(server, states, report);

  EXPECT_EQ(server.carried, state);
  EXPECT_FALSE(server.retire);
}

TEST_F(RestoreTest, StateThatCannotBeReadRetiresTheConnection) {
  HasExtension();

  TakeReport(server, states, ".m2:zz");

  EXPECT_TRUE(server.retire);
}

}  // namespace
}  // namespace pgvalet::pool

#include "sampler/reason.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgvalet::sampler {
namespace {

using testing::HasSubstr;
using testing::Not;

struct ReasonTest : testing::Test {
  ReasonTest() {
    target.dbname = "app";
    target.user = "watcher";
    target.password = "hidden";
    target.addresses = {{"db1", 5432}, {"db2", 5432}};
  }
  static Error Server(const char* sqlstate, const char* message) {
    return Error{ErrorCode::kServer, "the server refused", 0, message, sqlstate};
  }
  Target target;
};

TEST_F(ReasonTest, AMissingExtensionNamesTheDatabaseAndTheCommand) {
  EXPECT_EQ(NotInstalled(target),
            "extension pgvalet is not installed in database \"app\": run CREATE EXTENSION pgvalet "
            "there");
}

TEST_F(ReasonTest, AServerThatIsDownIsToldInLibpqsWords) {
  const Error error{ErrorCode::kIo, "the connection failed", 0, "Connection refused"};

  EXPECT_EQ(CannotConnect(error, target), "cannot connect: Connection refused");
}

TEST_F(ReasonTest, AServerThatIsSilentIsNamed) {
  const Error error{ErrorCode::kTimeout, "no answer in time"};

  EXPECT_EQ(CannotConnect(error, target),
            "cannot connect to database \"app\" at db1:5432 and 1 more: no answer in time");
}

TEST_F(ReasonTest, EachRefusalOfTheServerSaysWhatToDo) {
  EXPECT_THAT(CannotRead(Server("55000", "pgvalet must be preloaded"), target),
              HasSubstr("is not preloaded"));
  EXPECT_THAT(CannotRead(Server("42501", "permission denied for view backends"), target),
              HasSubstr("role \"watcher\" may not read the views of pgvalet: GRANT pg_monitor"));
  EXPECT_THAT(CannotRead(Server("42703", "column \"x\" does not exist"), target),
              HasSubstr("not the ones this agent knows"));
  EXPECT_THAT(CannotRead(Server("57014", "canceling statement"), target),
              HasSubstr("takes too long"));
  EXPECT_THAT(CannotRead(Server("XX000", "boom"), target), HasSubstr("boom"));
}

TEST_F(ReasonTest, NoReasonTellsThePassword) {
  EXPECT_THAT(CannotRead(Server("42501", "no"), target), Not(HasSubstr("hidden")));
  EXPECT_THAT(CannotConnect(Error{ErrorCode::kTimeout, "late"}, target), Not(HasSubstr("hidden")));
}

}  // namespace
}  // namespace pgvalet::sampler

#include "sampler/connection.h"

#include <gtest/gtest.h>

#include "sampler/resolve.h"

namespace pgvalet::sampler {
namespace {

using namespace std::chrono_literals;

TEST(OneLineTest, FoldsSpaceAndDropsLineEnds) {
  EXPECT_EQ(OneLine("FATAL:  no\nreally no\n"), "FATAL: no really no");
  EXPECT_EQ(OneLine(""), "");
  EXPECT_EQ(OneLine("\n"), "");
}

TEST(OneLineTest, DropsLibpqsGuesses) {
  EXPECT_EQ(OneLine("host a: refused\n\tIs it running?\n\tOr not?\nhost b: refused\n\tIs it?"),
            "host a: refused host b: refused");
  EXPECT_EQ(OneLine("lost\n\t"), "lost");
}

TEST(OneLineTest, CutsBetweenCharacters) {
  std::string text(399, 'x');
  text += "€ and more";

  EXPECT_EQ(OneLine(text), std::string(399, 'x') + "...");
}

TEST(ResolveTest, OnlyNamesNeedALookup) {
  EXPECT_FALSE(NeedsLookup("/run/postgresql"));
  EXPECT_FALSE(NeedsLookup("@abstract"));
  EXPECT_FALSE(NeedsLookup("127.0.0.1"));
  EXPECT_FALSE(NeedsLookup("::1"));
  EXPECT_TRUE(NeedsLookup("localhost"));
  EXPECT_TRUE(NeedsLookup("db.example.org"));
}

TEST(ResolveTest, AddressesAndSocketsPassUnchanged) {
  Wakeup abort;
  Resolver resolver;

  auto found = resolver.Resolve({{"/run/postgresql", 5432}, {"::1", 5433}}, abort, Clock::now());

  ASSERT_TRUE(found.has_value());
  const std::vector<ResolvedAddress> wanted = {{"/run/postgresql", "", 5432}, {"::1", "::1", 5433}};
  EXPECT_EQ(*found, wanted);
}

TEST(ResolveTest, AnAbortEndsALookup) {
  Wakeup abort;
  abort.Signal();
  Resolver resolver;

  auto found = resolver.Resolve({{"localhost", 5432}}, abort, Clock::now() + 1h);

  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::kAborted);
}

TEST(ConnectionTest, AnAbortEndsALogin) {
  Wakeup abort;
  abort.Signal();
  Connection connection(abort);
  Target target;
  target.dbname = "app";
  target.addresses = {{"192.0.2.1", 5432}};

  auto opened = connection.Open(target, Clock::now() + 1h);

  ASSERT_FALSE(opened.has_value());
  EXPECT_FALSE(connection.open());
}

}  // namespace
}  // namespace pgvalet::sampler

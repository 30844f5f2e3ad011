#include "pool/reported_session.h"

#include <gmock/gmock.h>

#include "wire/session_items.h"

namespace pgvalet::pool {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string Item(char letter, std::initializer_list<std::string_view> fields) {
  std::string item;
  wire::AppendItem(item, letter, fields);
  return item;
}

TEST(ReportedSessionTest, FirstReportSaysThatTheExtensionIsThere) {
  ReportedSession session("key");
  EXPECT_FALSE(session.has_extension());

  session.Take("." + Item('v', {"1.2"}) + Item('m', {""}));

  EXPECT_TRUE(session.has_extension());
  EXPECT_EQ(session.version(), "1.2");
  EXPECT_TRUE(session.CanMove());
}

TEST(ReportedSessionTest, PinsAndChannelsAreThoseOfTheLastReport) {
  ReportedSession session("key");
  session.Take("." + Item('p', {"temporary_objects", "2"}) + Item('l', {"news"}));
  EXPECT_FALSE(session.CanMove());
  EXPECT_EQ(session.pins().at(0).reason, wire::PinReason::kTemporaryObjects);
  EXPECT_EQ(session.pins().at(0).count, 2U);
  EXPECT_THAT(session.channels(), ElementsAre("news"));

  session.Take("." + Item('l', {"other"}));
  EXPECT_THAT(session.pins(), IsEmpty());
  EXPECT_THAT(session.channels(), ElementsAre("other"));
  EXPECT_FALSE(session.CanMove());

  session.Take(".");
  EXPECT_TRUE(session.CanMove());
}

TEST(ReportedSessionTest, ReportInPartsCountsWhenItIsWhole) {
  ReportedSession session("key");

  EXPECT_FALSE(session.Take("+" + Item('p', {"held_cursors", "1"})));
  EXPECT_TRUE(session.CanMove());
  EXPECT_TRUE(session.Take("."));
  EXPECT_FALSE(session.CanMove());
}

TEST(ReportedSessionTest, WhatCannotBeReadPins) {
  for (const char* value : {"", "x", ".p3:a", ".?", ".p99999999999999999999:a"}) {
    ReportedSession session("key");
    session.Take(value);
    EXPECT_FALSE(session.CanMove()) << value;
    EXPECT_EQ(session.pins().at(0).reason, wire::PinReason::kUnknown) << value;
  }
}

TEST(ReportedSessionTest, ChangesOfTheCatalogStay) {
  ReportedSession session("key");
  session.Take("." + Item('o', {"4"}) + Item('t', {"9"}));
  session.Take(".");

  EXPECT_TRUE(session.outdated());
  EXPECT_EQ(session.relations(), 9U);
  EXPECT_TRUE(session.CanMove());
}

TEST(ReportedSessionTest, AfterDiscardNothingTies) {
  ReportedSession session("key");
  session.Take("." + Item('p', {"advisory_locks", "1"}) + Item('l', {"a"}));

  session.Clear();

  EXPECT_TRUE(session.CanMove());
}

}  // namespace
}  // namespace pgvalet::pool

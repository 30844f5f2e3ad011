#include "wire/session_report.h"

#include <gtest/gtest.h>

#include "wire/sequence_values.h"

namespace pgvalet::wire {
namespace {

TEST(SessionReportTest, FirstOneSaysWhoIsThere) {
  const auto report = SessionReport::Parse("v5:0.1.0m0:");

  ASSERT_TRUE(report);
  EXPECT_EQ(report->version, "0.1.0");
  EXPECT_EQ(report->state, "");
  EXPECT_TRUE(report->pins.empty());
  EXPECT_FALSE(report->sequences);
  EXPECT_FALSE(report->statements_gone);
}

TEST(SessionReportTest, SaysAllThatASessionCarries) {
  const auto report = SessionReport::Parse(
      "m7:s1:a1:1p17:temporary_objects1:3p14:advisory_locks1:1l2:c1l4:c 2'x1:*q6:L2:42Qudn");

  ASSERT_TRUE(report);
  EXPECT_FALSE(report->version);
  EXPECT_EQ(report->state, "s1:a1:1");
  ASSERT_EQ(report->pins.size(), 2u);
  EXPECT_EQ(report->pins[0].reason, PinReason::kTemporaryObjects);
  EXPECT_EQ(report->pins[0].count, 3u);
  EXPECT_EQ(report->pins[1].reason, PinReason::kAdvisoryLocks);
  EXPECT_EQ(report->channels, (std::vector<std::string_view>{"c1", "c 2'"}));
  EXPECT_EQ(report->unlistened, (std::vector<std::string_view>{"*"}));
  EXPECT_EQ(report->sequences, "L2:42Q");
  EXPECT_TRUE(report->sequences_used);
  EXPECT_TRUE(report->statements_gone);
  EXPECT_TRUE(report->notified);
}

TEST(SessionReportTest, NothingAtAllIsAReport) {
  const auto report = SessionReport::Parse("");

  ASSERT_TRUE(report);
  EXPECT_FALSE(report->state);
  EXPECT_TRUE(report->pins.empty());
}

TEST(SessionReportTest, ReasonThatIsNotKnownPinsAllTheSame) {
  const auto report = SessionReport::Parse("p9:moonphase1:1");

  ASSERT_TRUE(report);
  ASSERT_EQ(report->pins.size(), 1u);
  EXPECT_EQ(report->pins[0].reason, PinReason::kUnknown);
}

TEST(SessionReportTest, EveryReasonHasItsName) {
  for (int i = 0; i < kPinReasons; ++i) {
    const std::string name = PinReasonName(static_cast<PinReason>(i));
    const auto report =
        SessionReport::Parse("p" + std::to_string(name.size()) + ":" + name + "1:7");
    ASSERT_TRUE(report);
    EXPECT_EQ(report->pins[0].reason, static_cast<PinReason>(i)) << name;
  }
}

TEST(SessionReportTest, TextWithoutTheFormIsNone) {
  for (const char* text : {"x", "v", "v5:0.1", "p14:advisory_locks", "p14:advisory_locks1:x",
                           "p14:advisory_locks0:", "l3:ab", "u1:", "m0"}) {
    EXPECT_FALSE(SessionReport::Parse(text)) << text;
  }
}

using Part = ReportAssembler::Part;

TEST(ReportAssemblerTest, PutsPartsTogether) {
  ReportAssembler assembler;

  EXPECT_EQ(assembler.Add("+ab"), Part::kMore);
  EXPECT_EQ(assembler.Add("+"), Part::kMore);
  EXPECT_EQ(assembler.Add(".cd"), Part::kWhole);
  EXPECT_EQ(assembler.text(), "abcd");
  EXPECT_EQ(assembler.Add(".e"), Part::kWhole);
  EXPECT_EQ(assembler.text(), "e");
  EXPECT_EQ(assembler.Add("."), Part::kWhole);
  EXPECT_EQ(assembler.text(), "");
}

TEST(ReportAssemblerTest, WhatHasNoMarkIsMalformed) {
  ReportAssembler assembler;

  EXPECT_EQ(assembler.Add(""), Part::kMalformed);
  EXPECT_EQ(assembler.Add("ab"), Part::kMalformed);
  EXPECT_EQ(assembler.Add("+ab"), Part::kMore);
  EXPECT_EQ(assembler.Add("cd"), Part::kMalformed);
  EXPECT_EQ(assembler.Add(".e"), Part::kWhole);
  EXPECT_EQ(assembler.text(), "e");
}

TEST(ReportAssemblerTest, EndlessReportIsMalformed) {
  ReportAssembler assembler;
  const std::string part = "+" + std::string(16'000, 'x');
  Part last = Part::kMore;
  for (int i = 0; i < 100 && last == Part::kMore; ++i) last = assembler.Add(part);

  EXPECT_EQ(last, Part::kMalformed);
}

TEST(ChangesMeaningTest, BySettingsThatAnalysisReadsAndByObjects) {
  EXPECT_TRUE(ChangesMeaning("s11:search_path"));
  EXPECT_TRUE(ChangesMeaning("s8:TimeZone"));
  EXPECT_FALSE(ChangesMeaning("s8:work_mem"));
  EXPECT_TRUE(ChangesMeaning("s8:work_memk"));
  EXPECT_TRUE(ChangesMeaning("k"));
  EXPECT_FALSE(ChangesMeaning(""));
}

TEST(SaysStatementsGoneTest, ByOneLetter) {
  EXPECT_TRUE(SaysStatementsGone("d"));
  EXPECT_FALSE(SaysStatementsGone("k"));
  EXPECT_FALSE(SaysStatementsGone("s8:work_mem"));
  EXPECT_FALSE(SaysStatementsGone(""));
}

TEST(ChangesMeaningTest, WhateverCannotBeRead) {
  EXPECT_TRUE(ChangesMeaning("?"));
  EXPECT_TRUE(ChangesMeaning("s"));
  EXPECT_TRUE(ChangesMeaning("s9:work_mem"));
}

TEST(MergeSequencesTest, WhatWasUsedSinceCountsAndTheRestStays) {
  EXPECT_EQ(MergeSequences("", "Q3:1011:5L1:5"), "Q3:1011:5L1:5");
  EXPECT_EQ(MergeSequences("Q3:1011:5L1:5", "Q3:1111:7L1:7"), "Q3:1011:5Q3:1111:7L1:7");
  EXPECT_EQ(MergeSequences("Q3:1011:5Q3:1111:7L1:7", "Q3:1011:6L1:6"), "Q3:1111:7Q3:1011:6L1:6");
  EXPECT_EQ(MergeSequences("Q3:1011:5L1:5", ""), "Q3:1011:5L1:5");
}

TEST(MergeSequencesTest, WhatCannotBeReadIsNotBelieved) {
  EXPECT_EQ(MergeSequences("?", "Q3:1011:5L1:5"), "Q3:1011:5L1:5");
  EXPECT_EQ(MergeSequences("Q3:1011:5L1:5", "Q3:10"), "Q3:1011:5L1:5");
}

TEST(MergeSequencesTest, ThousandsOfSequencesAreNotKept) {
  std::string known;
  for (int oid = 1000; oid < 4000; ++oid) {
    known = MergeSequences(known, "Q4:" + std::to_string(oid) + "1:1");
  }
  EXPECT_EQ(known.size(), 1000 * std::string("Q4:10001:1").size());
  EXPECT_TRUE(known.starts_with("Q4:30001:1"));
}

}  // namespace
}  // namespace pgvalet::wire

#include "cli/client/watcher.h"

#include <gtest/gtest.h>

namespace pgvalet::cli {
namespace {

SnapshotPtr Snapshot(std::int64_t started_at, std::int64_t sampled_at) {
  auto snapshot = std::make_shared<v1::Snapshot>();
  snapshot->mutable_agent()->mutable_started_at()->set_seconds(started_at);
  snapshot->mutable_extension()->mutable_sampled_at()->set_seconds(sampled_at);
  return snapshot;
}

TEST(WatcherTest, AnAgentThatStartedAnewIsNoticed) {
  Watcher::Report report;
  Join(&report, Snapshot(1, 10));
  report.problem = "Connection refused";

  Join(&report, Snapshot(2, 11));

  EXPECT_EQ(report.notice, "the agent was restarted");
  EXPECT_EQ(report.problem, "");
}

TEST(WatcherTest, ALineThatWasCutIsNoticed) {
  Watcher::Report report;
  Join(&report, Snapshot(1, 10));
  report.problem = "no answer in time";

  Join(&report, Snapshot(1, 11));

  EXPECT_EQ(report.notice, "connected again");
}

TEST(WatcherTest, RatesCompareTwoReadingsOfTheExtensionNotTwoSnapshots) {
  Watcher::Report report;
  const SnapshotPtr first = Snapshot(1, 10);
  Join(&report, first);

  Join(&report, Snapshot(1, 10));
  EXPECT_EQ(report.before, nullptr);

  const SnapshotPtr last = report.now;
  Join(&report, Snapshot(1, 11));
  EXPECT_EQ(report.before, last);
  Join(&report, Snapshot(1, 11));
  EXPECT_EQ(report.before, last);
  EXPECT_EQ(report.snapshots, 4);
}

}  // namespace
}  // namespace pgvalet::cli

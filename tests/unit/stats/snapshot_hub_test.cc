#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "stats/hub.h"

namespace pgvalet::stats {
namespace {

SnapshotPtr Numbered(std::uint64_t sequence) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->sequence = sequence;
  return snapshot;
}

TEST(SnapshotHubTest, HasNothingBeforeTheFirstSnapshot) {
  EXPECT_EQ(SnapshotHub().Latest(), nullptr);
}

TEST(SnapshotHubTest, KeepsOnlyTheNewest) {
  SnapshotHub hub;
  const std::weak_ptr<const Snapshot> first = [&] {
    const SnapshotPtr snapshot = Numbered(1);
    hub.Publish(snapshot);
    return snapshot;
  }();

  hub.Publish(Numbered(2));

  EXPECT_EQ(hub.Latest()->sequence, 2U);
  EXPECT_TRUE(first.expired());
}

TEST(SnapshotHubTest, AReaderThatIsBehindGetsTheNewestAndNotEachInBetween) {
  SnapshotHub hub;
  for (std::uint64_t i = 1; i <= 5; ++i) hub.Publish(Numbered(i));

  EXPECT_EQ(hub.WaitNewer(1, {})->sequence, 5U);
}

TEST(SnapshotHubTest, AReaderThatIsUpToDateWaitsForTheNext) {
  SnapshotHub hub;
  hub.Publish(Numbered(1));
  std::uint64_t seen = 0;
  std::thread reader([&] { seen = hub.WaitNewer(1, {})->sequence; });

  hub.Publish(Numbered(2));
  reader.join();

  EXPECT_EQ(seen, 2U);
}

TEST(SnapshotHubTest, AWaitEndsWhenItIsToldToStop) {
  const SnapshotHub hub;
  SnapshotPtr got = Numbered(9);
  std::jthread reader([&](const std::stop_token& stop) { got = hub.WaitNewer(0, stop); });

  reader.request_stop();
  reader.join();

  EXPECT_EQ(got, nullptr);
}

TEST(SnapshotHubTest, ManyReadersSeeSequencesThatOnlyGrow) {
  constexpr std::uint64_t kLast = 2000;
  SnapshotHub hub;
  std::vector<std::thread> readers;
  std::atomic<int> disorders{0};
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      std::uint64_t seen = 0;
      while (seen < kLast) {
        const std::uint64_t next = hub.WaitNewer(seen, {})->sequence;
        if (next <= seen) ++disorders;
        seen = next;
      }
    });
  }

  for (std::uint64_t i = 1; i <= kLast; ++i) hub.Publish(Numbered(i));
  for (std::thread& reader : readers) reader.join();

  EXPECT_EQ(disorders, 0);
}

}  // namespace
}  // namespace pgvalet::stats

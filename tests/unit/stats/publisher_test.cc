#include "stats/publisher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>

namespace pgvalet::stats {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

struct PublisherTest : testing::Test {
  Registry registry;
  SnapshotHub hub;
  std::atomic<bool> throws{false};
  std::atomic<int> thrown{0};
  PublisherSources sources{.status = [this]() -> AgentStatus {
                             if (throws) {
                               ++thrown;
                               throw std::runtime_error("no status today");
                             }
                             return {.version = "1.2.3", .state = AgentState::kRunning};
                           },
                           .extension = {}};
};

TEST_F(PublisherTest, MakesTheFirstSnapshotAtOnce) {
  Publisher publisher(registry, hub, sources, hours(1));

  publisher.Start();

  const SnapshotPtr first = hub.WaitNewer(0, {});
  EXPECT_EQ(first->sequence, 1U);
  EXPECT_EQ(first->agent.status.version, "1.2.3");
  EXPECT_EQ(first->interval, hours(1));
}

TEST_F(PublisherTest, GoesOnAtItsInterval) {
  Publisher publisher(registry, hub, sources, milliseconds(10));

  publisher.Start();

  EXPECT_GE(hub.WaitNewer(4, {})->sequence, 5U);
}

TEST_F(PublisherTest, TakesAShorterIntervalAtOnce) {
  Publisher publisher(registry, hub, sources, hours(1));
  publisher.Start();
  hub.WaitNewer(0, {});

  publisher.SetInterval(milliseconds(10));

  EXPECT_EQ(hub.WaitNewer(2, {})->interval, milliseconds(10));
}

TEST_F(PublisherTest, TakesAnIntervalThatIsSetWhileASnapshotIsMade) {
  Publisher* setter = nullptr;
  sources.extension = [&]() -> std::shared_ptr<const ExtensionSample> {
    setter->SetInterval(milliseconds(10));
    return nullptr;
  };
  Publisher publisher(registry, hub, sources, hours(1));
  setter = &publisher;

  publisher.Start();

  EXPECT_EQ(hub.WaitNewer(1, {})->interval, milliseconds(10));
}

TEST_F(PublisherTest, MakesASnapshotOutOfTurnWhenAsked) {
  Publisher publisher(registry, hub, sources, hours(1));
  publisher.Start();
  hub.WaitNewer(0, {});

  publisher.PublishNow();

  EXPECT_EQ(hub.WaitNewer(1, {})->sequence, 2U);
}

TEST_F(PublisherTest, SurvivesASourceThatThrowsAndLeavesNoGapInTheSequence) {
  Publisher publisher(registry, hub, sources, milliseconds(10));
  throws = true;
  publisher.Start();
  while (thrown < 2) std::this_thread::yield();

  throws = false;

  EXPECT_EQ(hub.WaitNewer(0, {})->sequence, 1U);
}

TEST_F(PublisherTest, PublishesNothingAfterStop) {
  Publisher publisher(registry, hub, sources, milliseconds(10));
  publisher.Start();
  hub.WaitNewer(0, {});

  publisher.Stop();

  const std::uint64_t last = hub.Latest()->sequence;
  publisher.PublishNow();
  EXPECT_EQ(hub.Latest()->sequence, last);
}

TEST_F(PublisherTest, HandsOnWhatTheExtensionSaid) {
  const auto sample = std::make_shared<ExtensionSample>();
  sources.extension = [&] { return sample; };
  Publisher publisher(registry, hub, sources, hours(1));

  publisher.Start();

  EXPECT_EQ(hub.WaitNewer(0, {})->extension, sample);
}

}  // namespace
}  // namespace pgvalet::stats

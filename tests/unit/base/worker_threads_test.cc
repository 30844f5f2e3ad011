#include "base/worker_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>

namespace pgvalet {
namespace {

TEST(WorkerThreadsTest, WorkIsDoneByOthers) {
  std::promise<std::thread::id> who;
  WorkerThreads threads(2, 0);

  ASSERT_TRUE(threads.Run([&] { who.set_value(std::this_thread::get_id()); }));

  EXPECT_NE(who.get_future().get(), std::this_thread::get_id());
}

TEST(WorkerThreadsTest, AsMuchAtATimeAsThereAreThreads) {
  std::latch all_run(3);
  WorkerThreads threads(3, 0);

  for (int i = 0; i < 3; ++i) ASSERT_TRUE(threads.Run([&] { all_run.arrive_and_wait(); }));

  threads.Finish();  // comes back only if all three ran together
}

TEST(WorkerThreadsTest, MoreThanThereIsRoomForIsRefused) {
  std::promise<void> go_on;
  std::shared_future<void> gate(go_on.get_future());
  std::atomic<int> done{0};
  WorkerThreads threads(1, 1);
  const auto work = [&] {
    gate.wait();
    ++done;
  };

  EXPECT_TRUE(threads.Run(work));
  EXPECT_TRUE(threads.Run(work));
  EXPECT_FALSE(threads.Run(work));
  go_on.set_value();
  threads.Finish();
  EXPECT_EQ(done, 2);
}

TEST(WorkerThreadsTest, NothingIsTakenOnAfterTheEnd) {
  WorkerThreads threads(2, 2);
  threads.Finish();

  EXPECT_FALSE(threads.Run([] { FAIL(); }));
}

}  // namespace
}  // namespace pgvalet

#include "base/wait.h"

#include <gtest/gtest.h>
#include <poll.h>

namespace pgvalet {
namespace {

using namespace std::chrono_literals;

TEST(WaitTest, AnAbortThatCameBeforeTheWaitIsNotLost) {
  Wakeup abort;
  abort.Signal();

  auto waited = WaitFor(-1, 0, abort, Time::max());

  ASSERT_FALSE(waited.has_value());
  EXPECT_EQ(waited.error().code, ErrorCode::kAborted);
}

TEST(WaitTest, AClearedAbortNoLongerCounts) {
  Wakeup abort;
  abort.Signal();
  abort.Clear();

  auto waited = WaitFor(-1, 0, abort, Clock::now());

  ASSERT_FALSE(waited.has_value());
  EXPECT_EQ(waited.error().code, ErrorCode::kTimeout);
}

TEST(WaitTest, AReadyDescriptorEndsTheWaitEvenAfterTheDeadline) {
  Wakeup abort, ready;
  ready.Signal();

  EXPECT_TRUE(WaitFor(ready.fd(), POLLIN, abort, Time()).has_value());
}

}  // namespace
}  // namespace pgvalet

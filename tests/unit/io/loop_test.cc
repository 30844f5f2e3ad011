#include "io/loop.h"

#include <gmock/gmock.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "fakes/stepped_loop.h"

namespace pgvalet::io {
namespace {

using fakes::SteppedLoop;
using testing::ElementsAre;
using testing::IsEmpty;

class Later final : public Deferred {
 public:
  explicit Later(std::function<void()> action) : action_(std::move(action)) {}
  void RunDeferred() override { action_(); }

 private:
  std::function<void()> action_;
};

class OnEvent final : public IoHandler {
 public:
  explicit OnEvent(std::function<void()> action) : action_(std::move(action)) {}
  void OnIo(std::uint32_t) override { action_(); }

 private:
  std::function<void()> action_;
};

// Two ends of a stream, one of which has a byte to read.
struct ReadableSocket {
  ReadableSocket() {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0) MakeReadable();
  }
  ~ReadableSocket() {
    close(ends[0]);
    close(ends[1]);
  }
  void MakeReadable() { [[maybe_unused]] const ssize_t n = write(ends[1], "x", 1); }
  int ends[2];
};

struct LoopTest : testing::Test {
  SteppedLoop stepped;
  Loop& loop = stepped.loop;
  std::vector<int> ran;
};

TEST_F(LoopTest, DeferredRunInTheirOrderAndOnce) {
  Later one([&] { ran.push_back(1); }), two([&] { ran.push_back(2); });
  loop.Defer(two);
  loop.Defer(one);
  loop.Defer(two);  // is in line already

  stepped.Turn();
  stepped.Turn();

  EXPECT_THAT(ran, ElementsAre(2, 1));
}

TEST_F(LoopTest, WhatIsDeferredMeanwhileBelongsToTheNextTurn) {
  std::optional<Later> later;
  later.emplace([&] {
    ran.push_back(1);
    loop.Defer(*later);
  });
  loop.Defer(*later);

  stepped.Turn();
  EXPECT_THAT(ran, ElementsAre(1));
  stepped.Turn();
  EXPECT_THAT(ran, ElementsAre(1, 1));
}

TEST_F(LoopTest, DeferredThatIsDestroyedDoesNotRun) {
  std::optional<Later> victim(std::in_place, [&] { ran.push_back(2); });
  Later killer([&] {
    ran.push_back(1);
    victim.reset();
  });
  loop.Defer(killer);
  loop.Defer(*victim);

  stepped.Turn();
  stepped.Turn();

  EXPECT_THAT(ran, ElementsAre(1));
}

TEST_F(LoopTest, TimersRunInTheOrderOfTheirTimes) {
  Timer late([&] { ran.push_back(2); }), early([&] { ran.push_back(1); });
  Timer never([&] { ran.push_back(3); });
  loop.Arm(late, loop.now() - std::chrono::seconds(1));
  loop.Arm(early, loop.now() - std::chrono::seconds(2));
  loop.Arm(never, loop.now() + std::chrono::hours(1));

  stepped.Turn();
  stepped.Turn();

  EXPECT_THAT(ran, ElementsAre(1, 2));
  EXPECT_FALSE(late.armed());
  EXPECT_TRUE(never.armed());
}

TEST_F(LoopTest, TimerArmedAgainRunsAtItsNewTimeOnly) {
  Timer timer([&] { ran.push_back(1); });
  loop.Arm(timer, loop.now() - std::chrono::seconds(1));
  loop.Arm(timer, loop.now() + std::chrono::hours(1));

  stepped.Turn();

  EXPECT_THAT(ran, IsEmpty());
}

TEST_F(LoopTest, TimerMayArmItselfAndEndOthers) {
  std::optional<Timer> victim(std::in_place, [&] { ran.push_back(2); });
  std::optional<Timer> timer;
  timer.emplace([&] {
    ran.push_back(1);
    victim.reset();
    loop.Arm(*timer, loop.now() + std::chrono::hours(1));
  });
  loop.Arm(*timer, loop.now() - std::chrono::seconds(2));
  loop.Arm(*victim, loop.now() - std::chrono::seconds(1));

  stepped.Turn();

  EXPECT_THAT(ran, ElementsAre(1));
  EXPECT_TRUE(timer->armed());
}

TEST_F(LoopTest, OneTurnServesSocketsThenTimersThenPostsThenDeferred) {
  ReadableSocket socket;
  OnEvent handler([&] { ran.push_back(1); });
  Timer timer([&] { ran.push_back(2); });
  Later later([&] { ran.push_back(4); });
  loop.Post([&] { ran.push_back(3); });
  loop.Defer(later);
  loop.Arm(timer, loop.now());
  loop.Register(socket.ends[0], EPOLLIN | EPOLLET, handler);

  stepped.Turn();

  EXPECT_THAT(ran, ElementsAre(1, 2, 3, 4));
  loop.Unregister(socket.ends[0], handler);
}

TEST_F(LoopTest, HandlerUnregisteredByAnotherIsNotServedInTheSameTurn) {
  ReadableSocket one, two;
  std::unique_ptr<OnEvent> first, second;
  const auto kill = [&](std::unique_ptr<OnEvent>& other, int fd) {
    ran.push_back(fd);
    if (!other) return;
    loop.Unregister(fd, *other);
    other.reset();
  };
  first = std::make_unique<OnEvent>([&] { kill(second, two.ends[0]); });
  second = std::make_unique<OnEvent>([&] { kill(first, one.ends[0]); });
  loop.Register(one.ends[0], EPOLLIN | EPOLLET, *first);
  loop.Register(two.ends[0], EPOLLIN | EPOLLET, *second);

  stepped.Turn();
  stepped.Turn();

  EXPECT_EQ(ran.size(), 1u);
  if (first) loop.Unregister(one.ends[0], *first);
  if (second) loop.Unregister(two.ends[0], *second);
}

TEST_F(LoopTest, HandlerThatIsUnregisteredInItsOwnEventIsNotBeingServed) {
  ReadableSocket socket;
  std::unique_ptr<OnEvent> handler;
  bool before = false;
  bool after = true;
  handler = std::make_unique<OnEvent>([&] {
    const IoHandler& me = *handler;
    before = loop.IsServing(me);
    loop.Unregister(socket.ends[0], *handler);
    after = loop.IsServing(me);
  });
  loop.Register(socket.ends[0], EPOLLIN | EPOLLET, *handler);

  stepped.Turn();

  EXPECT_TRUE(before);
  EXPECT_FALSE(after);
}

TEST_F(LoopTest, ModifiedRegistrationTellsAgain) {
  ReadableSocket socket;
  OnEvent handler([&] { ran.push_back(1); });
  loop.Register(socket.ends[0], EPOLLIN | EPOLLET, handler);
  stepped.Turn();
  stepped.Turn();
  EXPECT_THAT(ran, ElementsAre(1));  // the edge is told once

  loop.Modify(socket.ends[0], EPOLLIN | EPOLLOUT | EPOLLET, handler);
  stepped.Turn();

  EXPECT_THAT(ran, ElementsAre(1, 1));
  loop.Unregister(socket.ends[0], handler);
}

TEST_F(LoopTest, PostsOfOtherThreadsRunHereAndNoneIsLost) {
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  int count = 0;  // without a lock: written on the loop's thread only
  std::vector<std::thread> threads;
  std::thread runner([&] { loop.Run(); });
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        loop.Post([&] {
          if (++count == kThreads * kEach) loop.Stop();
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  runner.join();

  EXPECT_EQ(count, kThreads * kEach);
}

TEST_F(LoopTest, BuffersComeFromTheStockAndAreCounted) {
  std::string buffer = loop.TakeBuffer(10'000);
  EXPECT_GE(buffer.capacity(), 10'000u);
  EXPECT_EQ(stepped.counters.buffers_in_use.value(), 1);
  EXPECT_EQ(stepped.counters.buffer_bytes.value(), static_cast<std::int64_t>(buffer.capacity()));
  buffer.append("secret");
  const void* place = buffer.data();

  loop.ReturnBuffer(std::move(buffer));

  EXPECT_EQ(stepped.counters.buffers_in_use.value(), 0);
  EXPECT_EQ(stepped.counters.buffer_bytes.value(), 0);
  const std::string again = loop.TakeBuffer(20'000);
  EXPECT_EQ(again.data(), place);
  EXPECT_EQ(again.size(), 0u);
}

TEST_F(LoopTest, AssemblyIsEmptyWhenItIsHandedOut) {
  loop.assembly().append("left over");

  EXPECT_EQ(loop.assembly(), "");
}

}  // namespace
}  // namespace pgvalet::io

// Hubs, clients and server on threads of their own.
#include <condition_variable>
#include <mutex>
#include <thread>

#include "listening.h"

namespace pgvalet::notify {
namespace {

constexpr int kMessages = 500;
constexpr auto kPatience = std::chrono::seconds(60);

class RunningLoop {
 public:
  RunningLoop() : thread_([this] { loop.Run(); }) {}
  ~RunningLoop() { Stop(); }
  void Stop() {
    if (!thread_.joinable()) return;
    loop.Stop();
    thread_.join();
  }

  stats::CoreCounters counters;
  io::Loop loop{counters};

 private:
  std::thread thread_;
};

// Moves to the hub and counts; the lease shows it nothing but the marker, as it has no other way.
class CountingClient final : public EventSink {
 public:
  CountingClient(Directory& directory, io::Loop& loop)
      : subscriber_(std::in_place, directory, loop, *this, pool::PoolKey{"shop", "mia"}) {}

  void Start() { subscriber_->Subscribe({"a"}); }
  void Leave() { subscriber_.reset(); }

  void OnEvent(const Event& event) override {
    const std::lock_guard lock(mutex_);
    if (const auto* subscribed = std::get_if<Subscribed>(&event)) {
      subscriber_->Mark();
      // Tokens are numbered; the one of this client is among the first.
      for (int link = 1; link < 10; ++link) {
        subscriber_->PassLeaseNotification(subscribed->marker_channel, std::to_string(link) + ".1");
      }
    } else if (const auto* notification = std::get_if<Notification>(&event)) {
      in_order_ = in_order_ && notification->payload() == std::to_string(received_);
      ++received_;
      if (received_ == kMessages) subscriber_->Barrier();
    } else {
      marked_ = marked_ || std::holds_alternative<Marked>(event);
      passed_ = passed_ || std::holds_alternative<BarrierPassed>(event);
    }
    changed_.notify_all();
  }

  bool WaitMarked() { return Wait(marked_); }
  bool WaitPassed() { return Wait(passed_); }
  bool in_order() {
    const std::lock_guard lock(mutex_);
    return in_order_;
  }

 private:
  bool Wait(const bool& what) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return what; });
  }

  std::optional<Subscriber> subscriber_;  // on its loop only
  std::mutex mutex_;                      // protects all below
  std::condition_variable changed_;
  int received_ = 0;
  bool in_order_ = true;
  bool marked_ = false;
  bool passed_ = false;
};

TEST(ThreadTest, ClientsOnTwoLoopsGetEverythingInOrder) {
  spdlog::set_level(spdlog::level::off);
  io::Resolver resolver;
  pool::Shared pools;
  pools.resolver = &resolver;
  stats::CoreCounters server_counters;
  io::Loop server_loop{server_counters};
  FakeListenServer server(server_loop, UniqueName());
  config::Settings settings;
  settings.databases["*"].name = "*";
  settings.databases["*"].hosts = {server.address()};
  std::thread server_thread([&] { server_loop.Run(); });
  RunningLoop hub_loop;
  RunningLoop one_loop;
  RunningLoop other_loop;
  Directory directory(pools, hub_loop.loop, std::make_shared<const config::Settings>(settings));
  CountingClient one(directory, one_loop.loop);
  CountingClient other(directory, other_loop.loop);

  one_loop.loop.Post([&] { one.Start(); });
  other_loop.loop.Post([&] { other.Start(); });
  ASSERT_TRUE(one.WaitMarked() && other.WaitMarked());
  server_loop.Post([&] {
    for (int i = 0; i < kMessages; ++i) server.Notify(77, "a", std::to_string(i));
  });

  EXPECT_TRUE(one.WaitPassed() && other.WaitPassed());
  EXPECT_TRUE(one.in_order() && other.in_order());
  EXPECT_EQ(directory.counters()->clients.value(), 2);

  one_loop.Stop();
  other_loop.Stop();
  hub_loop.Stop();
  directory.Close();
  one.Leave();
  other.Leave();
  server_loop.Stop();
  server_thread.join();
}

}  // namespace
}  // namespace pgvalet::notify

// Loop: the event loop of one core.
//
// Thread    everything here is called on the loop's own thread, but for Post() and Stop().
// Order     one turn is: wait for sockets; serve each; then timers that are due, what was
//           deferred, what other threads posted.
// Sockets   are registered once, edge-triggered, and stay registered until they close.
#pragma once

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "stats/counters.h"

struct epoll_event;

namespace pgvalet::io {

// Something with a descriptor.
class IoHandler {
 public:
  // `events` are those of epoll.
  virtual void OnIo(std::uint32_t events) = 0;

 protected:
  ~IoHandler() = default;
};

// Something to run at the end of this turn.  Leaves the list when it is destroyed.
class Deferred : public boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual void RunDeferred() = 0;

 protected:
  ~Deferred() = default;
};

// Something to run at a time.  Disarms itself when it is destroyed.
class Timer : public boost::intrusive::set_base_hook<
                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  explicit Timer(std::function<void()> action) : action_(std::move(action)) {}
  bool armed() const { return is_linked(); }
  void Disarm() {
    if (is_linked()) unlink();
  }

 private:
  friend class Loop;
  friend bool operator<(const Timer& a, const Timer& b) { return a.at_ < b.at_; }
  std::function<void()> action_;
  Time at_{};
};

class Loop {
 public:
  static constexpr std::size_t kScratchBytes = 64 * 1024;

  // `counters` outlives the loop.
  explicit Loop(stats::CoreCounters& counters);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until Stop().
  void Run();
  // One turn of Run(): waits for something to do, and does it.  For tests that step.
  void Turn();
  // Any thread; Run() returns after its present turn.
  void Stop();
  // Any thread; `action` runs on the loop's thread soon.
  void Post(std::function<void()> action);

  // The time this turn began.
  Time now() const { return now_; }
  // Reads the clock; for what must be exact.
  void UpdateNow() { now_ = Clock::now(); }

  void Register(int fd, std::uint32_t events, IoHandler& handler);
  void Modify(int fd, std::uint32_t events, IoHandler& handler);
  // After this no event of `handler` is delivered.
  void Unregister(int fd, IoHandler& handler);
  // Inside OnIo(): `handler` is still registered, so it was not destroyed by what it called.
  bool IsServing(const IoHandler& handler) const { return serving_ == &handler; }

  void Defer(Deferred& deferred) {
    if (!deferred.is_linked()) deferred_.push_back(deferred);
  }
  // Arms or re-arms.
  void Arm(Timer& timer, Time at);

  // Where a read lands before it is passed on; valid until the next read of anybody.
  std::uint8_t* scratch() { return scratch_.get(); }
  // Where a batch of messages is put together; empty when handed out, used by one caller at a time.
  std::string& assembly() {
    assembly_.clear();
    return assembly_;
  }

  // A string with room for at least `bytes`, from the stock if it has one.
  std::string TakeBuffer(std::size_t bytes);
  // While it was taken, by this many bytes.
  void BufferGrew(std::size_t bytes) {
    counters_.buffer_bytes.Add(static_cast<std::int64_t>(bytes));
  }
  void ReturnBuffer(std::string buffer);

  stats::CoreCounters& counters() { return counters_; }

 private:
  using DeferredList =
      boost::intrusive::list<Deferred, boost::intrusive::constant_time_size<false>>;
  using TimerSet = boost::intrusive::multiset<Timer, boost::intrusive::constant_time_size<false>>;

  class Waker final : public IoHandler {
   public:
    explicit Waker(Loop& loop) : loop_(loop) {}
    void OnIo(std::uint32_t events) override;

   private:
    Loop& loop_;
  };

  int WaitMillis() const;
  void RunTimers();
  void RunDeferred();
  void RunPosted();
  void Wake();

  static constexpr int kBatch = 128;
  static constexpr std::size_t kStockedBytes = kScratchBytes;
  static constexpr std::size_t kMaxStocked = 32;

  stats::CoreCounters& counters_;
  int epoll_fd_;
  int wake_fd_;
  Waker waker_{*this};
  Time now_ = Clock::now();
  std::unique_ptr<epoll_event[]> batch_;
  const IoHandler* serving_ = nullptr;
  int batch_size_ = 0;
  int batch_at_ = 0;
  std::unique_ptr<std::uint8_t[]> scratch_ = std::make_unique<std::uint8_t[]>(kScratchBytes);
  std::string assembly_;
  std::vector<std::string> stock_;
  DeferredList deferred_;
  TimerSet timers_;
  bool stopping_ = false;

  std::mutex posted_mutex_;  // protects the two below
  std::vector<std::function<void()>> posted_;
  bool stop_requested_ = false;
};

}  // namespace pgvalet::io
